-- What was done since a time: the figures at the end of a run and of the demo.

-- name: since
-- Sessions that began at or after a time, summed by target and by model, and their errors by type. Sums come from the
-- sessions' own sums by model and day, so that they agree with everything else. Gives one JSON object.
WITH chosen AS MATERIALIZED (
    SELECT s.*, t.name AS target_name, t.repo_id, t.status AS target_status, t.status_reason,
           t.total_features, t.passing_features
    FROM harness_sessions s JOIN targets t ON t.id = s.target_id
    WHERE s.started_at >= %(since)s
), by_target AS (
    SELECT json_build_object('name', target_name, 'repoId', repo_id) AS target, target_status AS status,
           status_reason AS "statusReason", count(*) AS sessions,
           count(*) FILTER (WHERE status = 'failed') AS "failedSessions",
           coalesce(sum(features_completed), 0) AS "featuresCompleted", passing_features AS "passingFeatures",
           total_features AS "totalFeatures", sum(commits_made) AS commits,
           sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens) AS tokens,
           sum(cost_usd) AS "costUsd", sum(unpriced_requests) AS "unpricedRequests",
           CASE WHEN sum(features_completed) > 0 THEN sum(cost_usd) / sum(features_completed) END AS "costPerFeature"
    FROM chosen
    GROUP BY target_id, target_name, repo_id, target_status, status_reason, total_features, passing_features
    ORDER BY min(started_at), repo_id
), by_model AS (
    SELECT u.model, count(DISTINCT u.session_id) AS sessions, sum(u.request_count) AS requests,
           sum(u.input_tokens) AS "inputTokens", sum(u.output_tokens) AS "outputTokens",
           sum(u.cache_read_tokens) AS "cacheReadTokens", sum(u.cache_write_tokens) AS "cacheWriteTokens",
           sum(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens) AS tokens,
           sum(u.cost_usd) AS "costUsd", sum(u.unpriced_requests) AS "unpricedRequests"
    FROM chosen c JOIN session_usage u ON u.target_id = c.target_id AND u.session_id = c.id
    GROUP BY u.model
    ORDER BY sum(u.cost_usd) DESC, u.model
), by_error AS (
    SELECT e.error_type AS "errorType", count(*) AS errors,
           count(*) FILTER (WHERE e.context->>'origin' = 'retry') AS "retriedByAgent",
           (array_agg(e.message ORDER BY e.context->>'origin' = 'retry', e.occurred_at DESC))[1] AS "lastMessage"
    FROM chosen c JOIN harness_errors e ON e.target_id = c.target_id AND e.session_id = c.id
    GROUP BY e.error_type
    ORDER BY count(*) DESC, e.error_type
)
SELECT json_build_object(
    'since', %(since)s::timestamptz,
    'sessions', (SELECT count(*) FROM chosen),
    'failedSessions', (SELECT count(*) FROM chosen WHERE status = 'failed'),
    'featuresCompleted', (SELECT coalesce(sum(features_completed), 0) FROM chosen),
    'tokens', (SELECT coalesce(sum(tokens), 0) FROM by_target),
    'costUsd', (SELECT coalesce(sum("costUsd"), 0) FROM by_target),
    'targets', (SELECT coalesce(json_agg(by_target), '[]') FROM by_target),
    'models', (SELECT coalesce(json_agg(by_model), '[]') FROM by_model),
    'errors', (SELECT coalesce(json_agg(by_error), '[]') FROM by_error));
