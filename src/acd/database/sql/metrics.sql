-- name: now
-- The figures behind /metrics, as one JSON object. Tokens and requests come from the roll-up by model and day; what
-- agents report is compared with our price only in sessions where both are whole: reported, and every request priced.
SELECT json_build_object(
    'sessions', s.by_status,
    'unpricedRequests', s.unpriced,
    'reportedCostUsd', s.reported,
    'pricedCostUsd', s.priced,
    'models', (
        SELECT coalesce(json_agg(by_model), '[]')
        FROM (
            SELECT model, sum(input_tokens) AS "inputTokens", sum(output_tokens) AS "outputTokens",
                   sum(cache_read_tokens) AS "cacheReadTokens", sum(cache_write_tokens) AS "cacheWriteTokens",
                   sum(cost_usd) AS "costUsd", sum(request_count) AS requests
            FROM model_usage
            GROUP BY model
            ORDER BY model
        ) AS by_model),
    'errors', (
        SELECT coalesce(json_object_agg(error_type, n), '{}')
        FROM (SELECT error_type, count(*) AS n FROM harness_errors GROUP BY error_type) AS by_type),
    'unresolvedErrors', (SELECT count(*) FROM harness_errors WHERE NOT resolved),
    'targets', (
        SELECT coalesce(json_object_agg(status, n), '{}')
        FROM (SELECT status, count(*) AS n FROM targets GROUP BY status) AS by_status),
    'totalFeatures', (SELECT coalesce(sum(total_features), 0) FROM targets),
    'passingFeatures', (SELECT coalesce(sum(passing_features), 0) FROM targets),
    'verifiedFeatures', (
        SELECT count(*) FROM target_features WHERE status = 'passing' AND verified_at IS NOT NULL),
    'queueDepth', (
        SELECT count(*) FROM targets t
        WHERE t.enabled AND t.status IN ('pending', 'active')
          AND NOT EXISTS (SELECT FROM harness_sessions r WHERE r.target_id = t.id AND r.status = 'running')))
FROM (
    SELECT coalesce(json_object_agg(status, n), '{}') AS by_status, coalesce(sum(unpriced), 0) AS unpriced,
           coalesce(sum(reported), 0) AS reported, coalesce(sum(priced), 0) AS priced
    FROM (
        SELECT status, count(*) AS n, sum(unpriced_requests) AS unpriced,
               sum(reported_cost_usd) FILTER (WHERE unpriced_requests = 0) AS reported,
               sum(cost_usd) FILTER (WHERE unpriced_requests = 0 AND reported_cost_usd IS NOT NULL) AS priced
        FROM harness_sessions
        GROUP BY status
    ) AS by_status
) AS s;
