-- name: now
-- The figures behind /metrics, as one JSON object. They are asked for every few seconds, so they come from sums by day,
-- small tables and indexes: their cost does not grow with the sessions. What agents report is compared with our price in
-- sessions begun on the last seven days, today included, where both are whole: reported, and every request priced.
SELECT json_build_object(
    'sessions', json_build_object(
        'running', s.running, 'failed', s.failed, 'completed', s.total - s.running - s.failed),
    'unpricedRequests', s.unpriced,
    'reportedCostUsd', c.reported,
    'pricedCostUsd', c.priced,
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
    SELECT coalesce(sum(sessions_today), 0) AS total, coalesce(sum(unpriced_today), 0) AS unpriced,
           (SELECT count(*) FROM harness_sessions WHERE status = 'running') AS running,
           (SELECT count(*) FROM harness_sessions WHERE status = 'failed') AS failed
    FROM progress_snapshots
) AS s
CROSS JOIN (
    SELECT coalesce(sum(reported_cost_usd), 0) AS reported, coalesce(sum(cost_usd), 0) AS priced
    FROM harness_sessions
    WHERE started_at >= (current_date - 6)::timestamptz AND reported_cost_usd IS NOT NULL AND unpriced_requests = 0
) AS c;
