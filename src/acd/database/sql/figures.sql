-- The figures behind the pages: sums of a period by one key. Days are days of the database's time zone, both ends are
-- inclusive. Each gives a JSON array; its first row, without a key, is the sum of all.

-- name: period
-- The days meant by from and to, each null for the usual: 30 days that end with the last one, which is today.
SELECT coalesce(%(from)s::date, greatest(coalesce(%(to)s::date, current_date) - 29, '0001-01-01')) AS first,
       coalesce(%(to)s::date, current_date) AS last

-- name: spending
-- Tokens and cost by day, week, month (their first day), target or model, from the sums by target, model and day; by
-- agent or branch, from the sums by session. Cost leaves out what has no known price, and unpricedRequests says how
-- many requests that are. Parameters: by; from, to; repo_id, null for "any".
WITH target AS MATERIALIZED (
    SELECT id, repo_id, name FROM targets WHERE %(repo_id)s::text IS NULL OR repo_id = %(repo_id)s
), part AS (
    SELECT CASE WHEN %(by)s::text IN ('day', 'week', 'month') THEN u.usage_date END AS day,
           CASE WHEN %(by)s = 'target' THEN u.target_id END AS target_id,
           CASE WHEN %(by)s NOT IN ('day', 'week', 'month', 'target') THEN u.model END AS word,
           sum(u.input_tokens) AS input, sum(u.output_tokens) AS output, sum(u.cache_read_tokens) AS cache_read,
           sum(u.cache_write_tokens) AS cache_write, sum(u.cost_usd) AS cost, sum(u.request_count) AS requests,
           sum(u.unpriced_requests) AS unpriced
    FROM model_usage u
    WHERE %(by)s NOT IN ('agent', 'branch')
      AND u.usage_date BETWEEN %(from)s::date AND %(to)s::date AND u.target_id IN (SELECT id FROM target)
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT NULL, NULL, CASE %(by)s WHEN 'agent' THEN h.agent ELSE h.branch END,
           sum(u.input_tokens), sum(u.output_tokens), sum(u.cache_read_tokens), sum(u.cache_write_tokens),
           sum(u.cost_usd), sum(u.request_count), sum(u.unpriced_requests)
    FROM session_usage u
    JOIN harness_sessions h ON h.target_id = u.target_id AND h.id = u.session_id
    WHERE %(by)s IN ('agent', 'branch')
      AND u.usage_date BETWEEN %(from)s::date AND %(to)s::date AND u.target_id IN (SELECT id FROM target)
    GROUP BY 3
), named AS (
    SELECT CASE %(by)s WHEN 'day' THEN p.day::text
                       WHEN 'week' THEN date_trunc('week', p.day)::date::text
                       WHEN 'month' THEN date_trunc('month', p.day)::date::text
                       WHEN 'target' THEN t.repo_id
                       ELSE p.word END AS key, t.name, p.*
    FROM part p LEFT JOIN target t ON t.id = p.target_id
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT key, CASE WHEN grouping(key) = 0 THEN max(name) END AS name, coalesce(sum(cost), 0) AS "costUsd",
           coalesce(sum(requests), 0) AS requests,
           coalesce(sum(unpriced), 0) AS "unpricedRequests", coalesce(sum(input), 0) AS "inputTokens",
           coalesce(sum(output), 0) AS "outputTokens", coalesce(sum(cache_read), 0) AS "cacheReadTokens",
           coalesce(sum(cache_write), 0) AS "cacheWriteTokens",
           coalesce(sum(input + output + cache_read + cache_write), 0) AS "totalTokens",
           sum(cache_read)::double precision / nullif(sum(input + cache_read + cache_write), 0)::double precision
               AS "cacheHitRate"
    FROM named
    GROUP BY GROUPING SETS ((key), ())
    ORDER BY grouping(key) DESC, CASE WHEN %(by)s IN ('day', 'week', 'month') THEN key END DESC,
             sum(cost) DESC, key
) AS shown;

-- name: sessions
-- What the sessions begun in a period came to, by day, week, month (their first day), target, model (the family that was
-- asked for), agent or branch. Features completed may be negative: regressions count. Wasted is the cost of failed
-- sessions and of coding sessions that ended without a feature completed. Parameters: by; from, to; repo_id, null for
-- "any".
WITH chosen AS (
    SELECT CASE %(by)s::text WHEN 'day' THEN s.started_at::date
                             WHEN 'week' THEN date_trunc('week', s.started_at)::date
                             WHEN 'month' THEN date_trunc('month', s.started_at)::date END AS day,
           CASE WHEN %(by)s = 'target' THEN s.target_id END AS target_id,
           CASE WHEN %(by)s = 'agent' THEN s.agent WHEN %(by)s = 'branch' THEN s.branch
                WHEN %(by)s NOT IN ('day', 'week', 'month', 'target') THEN s.model END AS word,
           s.status, s.features_completed, s.commits_made, s.duration_ms, s.cost_usd, s.unpriced_requests, s.request_count,
           s.retry_count, s.input_tokens, s.output_tokens, s.cache_read_tokens, s.cache_write_tokens,
           s.status = 'failed' OR (s.status = 'completed' AND s.session_type = 'coding'
                                   AND coalesce(s.features_completed, 0) <= 0) AS in_vain
    FROM harness_sessions s
    JOIN targets t ON t.id = s.target_id
    WHERE s.started_at >= %(from)s::date::timestamptz AND s.started_at < (%(to)s::date + 1)::timestamptz
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
), part AS (
    -- By what stands in a row, and only then by what is told of it: there are thousands of the one and few of the other.
    SELECT day, target_id, word, count(*) AS sessions, count(*) FILTER (WHERE status = 'running') AS running,
           count(*) FILTER (WHERE status = 'completed') AS completed, count(*) FILTER (WHERE status = 'failed') AS failed,
           sum(features_completed) AS features, sum(commits_made) AS commits, sum(duration_ms) AS duration,
           count(duration_ms) AS timed, sum(request_count) AS requests, sum(retry_count) AS retries,
           sum(input_tokens) AS input, sum(output_tokens) AS output, sum(cache_read_tokens) AS cache_read,
           sum(cache_write_tokens) AS cache_write, sum(cost_usd) AS cost, sum(unpriced_requests) AS unpriced,
           sum(cost_usd) FILTER (WHERE in_vain) AS cost_in_vain, count(*) FILTER (WHERE in_vain) AS in_vain
    FROM chosen
    GROUP BY day, target_id, word
), named AS (
    SELECT coalesce(p.day::text, t.repo_id, p.word) AS key, t.name, p.*
    FROM part p LEFT JOIN targets t ON t.id = p.target_id
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT key, CASE WHEN grouping(key) = 0 THEN max(name) END AS name, coalesce(sum(sessions), 0) AS sessions,
           coalesce(sum(running), 0) AS running, coalesce(sum(completed), 0) AS completed, coalesce(sum(failed), 0) AS failed,
           sum(completed)::double precision / nullif(sum(sessions) - sum(running), 0)::double precision AS "successRate",
           coalesce(sum(features), 0) AS "featuresCompleted", coalesce(sum(commits), 0) AS commits,
           coalesce(sum(duration), 0) AS "durationMs",
           round(sum(duration) / nullif(sum(timed), 0))::bigint AS "averageDurationMs",
           coalesce(sum(features), 0)::double precision * 3600000.0 / nullif(sum(duration), 0)::double precision
               AS "featuresPerHour",
           coalesce(sum(requests), 0) AS requests, coalesce(sum(retries), 0) AS retries,
           coalesce(sum(input + output + cache_read + cache_write), 0) AS "totalTokens", coalesce(sum(cost), 0) AS "costUsd",
           coalesce(sum(unpriced), 0) AS "unpricedRequests",
           CASE WHEN sum(features) > 0 AND (sum(cost) > 0 OR sum(unpriced) = 0)
                THEN sum(cost) / sum(features) END AS "costPerFeature",
           CASE WHEN sum(commits) > 0 AND (sum(cost) > 0 OR sum(unpriced) = 0)
                THEN sum(cost) / sum(commits) END AS "costPerCommit",
           sum(cache_read)::double precision / nullif(sum(input + cache_read + cache_write), 0)::double precision
               AS "cacheHitRate",
           coalesce(sum(cache_read), 0) AS "cacheReadTokens", coalesce(sum(cache_write), 0) AS "cacheWriteTokens",
           coalesce(sum(input), 0) AS "inputTokens",
           coalesce(sum(cost_in_vain), 0) AS "wastedCostUsd", coalesce(sum(in_vain), 0) AS "wastedSessions"
    FROM named
    GROUP BY GROUPING SETS ((key), ())
    ORDER BY grouping(key) DESC, CASE WHEN %(by)s IN ('day', 'week', 'month') THEN key END DESC,
             sum(cost) DESC, key
) AS shown;

-- name: features
-- What each feature cost that was implemented by a session begun in a period: the session's cost, shared evenly among
-- the features that it implemented. Parameters: from, to; repo_id, null for "any".
WITH made AS (
    SELECT f.target_id, f.feature_key, t.repo_id, f.name,
           s.cost_usd / count(*) OVER (PARTITION BY s.target_id, s.id) AS cost
    FROM harness_sessions s
    JOIN targets t ON t.id = s.target_id
    JOIN target_features f ON f.target_id = s.target_id AND f.session_id = s.id
    WHERE s.started_at >= %(from)s::date::timestamptz AND s.started_at < (%(to)s::date + 1)::timestamptz
      AND f.implemented_at IS NOT NULL AND f.removed_at IS NULL
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT repo_id || '/' || feature_key AS key, CASE WHEN grouping(feature_key) = 0 THEN max(name) END AS name,
           count(*) AS "featuresCompleted", coalesce(sum(cost), 0) AS "costUsd",
           CASE WHEN count(*) > 0 THEN sum(cost) / count(*) END AS "costPerFeature", 0 AS "unpricedRequests"
    FROM made
    GROUP BY GROUPING SETS ((target_id, repo_id, feature_key), ())
    ORDER BY grouping(feature_key) DESC, sum(cost) DESC, repo_id, feature_key
) AS shown;

-- name: errors
-- Errors of a period beside the sessions begun in it, by day, week, month (their first day), target, model (the family
-- that was asked for), agent or branch. A session is one with errors when any error of the period belongs to it.
-- Parameters: by; from, to; repo_id, null for "any".
WITH target AS MATERIALIZED (
    SELECT id, repo_id, name FROM targets WHERE %(repo_id)s::text IS NULL OR repo_id = %(repo_id)s
), happened AS MATERIALIZED (
    SELECT CASE %(by)s::text WHEN 'day' THEN e.occurred_at::date::text
                             WHEN 'week' THEN date_trunc('week', e.occurred_at)::date::text
                             WHEN 'month' THEN date_trunc('month', e.occurred_at)::date::text
                             WHEN 'target' THEN t.repo_id
                             WHEN 'agent' THEN s.agent
                             WHEN 'branch' THEN s.branch
                             ELSE s.model END AS key,
           e.session_id, e.error_type, e.resolved, e.context->>'origin' = 'retry' AS retried
    FROM harness_errors e
    JOIN target t ON t.id = e.target_id
    LEFT JOIN harness_sessions s ON s.target_id = e.target_id AND s.id = e.session_id
    WHERE e.occurred_at >= %(from)s::date::timestamptz AND e.occurred_at < (%(to)s::date + 1)::timestamptz
), by_type AS (
    SELECT key, grouping(key) AS whole, error_type, count(*) AS errors
    FROM happened
    GROUP BY GROUPING SETS ((key, error_type), (error_type))
), types AS (
    SELECT key, whole, json_object_agg(error_type, errors ORDER BY errors DESC, error_type) AS told
    FROM by_type
    GROUP BY key, whole
), counted AS (
    SELECT key, grouping(key) AS whole, count(*) AS errors, count(*) FILTER (WHERE retried) AS retried,
           count(*) FILTER (WHERE NOT resolved) AS open, count(DISTINCT session_id) AS with_errors
    FROM happened
    GROUP BY GROUPING SETS ((key), ())
), begun AS (
    -- Two of the same, because sessions are counted in an index where that holds the key.
    SELECT CASE %(by)s WHEN 'day' THEN s.started_at::date::text
                       WHEN 'week' THEN date_trunc('week', s.started_at)::date::text
                       WHEN 'month' THEN date_trunc('month', s.started_at)::date::text
                       ELSE t.repo_id END AS key
    FROM harness_sessions s JOIN target t ON t.id = s.target_id
    WHERE %(by)s NOT IN ('model', 'agent', 'branch')
      AND s.started_at >= %(from)s::date::timestamptz AND s.started_at < (%(to)s::date + 1)::timestamptz
    UNION ALL
    SELECT CASE %(by)s WHEN 'agent' THEN s.agent WHEN 'branch' THEN s.branch ELSE s.model END
    FROM harness_sessions s JOIN target t ON t.id = s.target_id
    WHERE %(by)s IN ('model', 'agent', 'branch')
      AND s.started_at >= %(from)s::date::timestamptz AND s.started_at < (%(to)s::date + 1)::timestamptz
), sessions AS (
    SELECT key, count(*) AS sessions FROM begun GROUP BY key
), summed AS (
    SELECT coalesce(c.key, b.key) AS key, 0 AS whole, coalesce(b.sessions, 0) AS sessions,
           coalesce(c.errors, 0) AS errors, coalesce(c.retried, 0) AS retried, coalesce(c.open, 0) AS open,
           coalesce(c.with_errors, 0) AS with_errors
    FROM (SELECT *, key IS NULL AS nameless FROM counted WHERE whole = 0) AS c
    FULL JOIN (SELECT *, key IS NULL AS nameless FROM sessions) AS b
      ON coalesce(c.key, '') = coalesce(b.key, '') AND c.nameless = b.nameless
    UNION ALL
    SELECT NULL, 1, (SELECT coalesce(sum(sessions), 0) FROM sessions), errors, retried, open, with_errors
    FROM counted WHERE whole = 1
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT a.key, CASE WHEN %(by)s = 'target' THEN (SELECT t.name FROM target t WHERE t.repo_id = a.key) END AS name,
           a.sessions, a.errors, a.retried AS "retriedByAgent", a.open AS "openErrors",
           a.with_errors AS "sessionsWithErrors", a.errors::double precision / nullif(a.sessions, 0) AS "errorsPerSession",
           coalesce((SELECT b.told FROM types b WHERE b.whole = a.whole AND b.key IS NOT DISTINCT FROM a.key), '{}')
               AS "byType"
    FROM summed a
    ORDER BY a.whole DESC, CASE WHEN %(by)s IN ('day', 'week', 'month') THEN a.key END DESC, a.errors DESC, a.key
) AS shown;
