-- Tokens and cost of any time by any key, for `acd usage` and /api/reports/usage. Cost leaves out what has no known
-- price; unpricedRequests says how many requests that are. Each gives a JSON array whose first row, without a key, is
-- the sum of all; its rowCount says how many rows there are, of which `most` are given.

-- name: zone
-- The database's time zone, in which a day is a day, and what day it is in the zone asked for (null: in that one).
SELECT current_setting('TimeZone') AS zone,
       (now() AT TIME ZONE coalesce(%(zone)s::text, current_setting('TimeZone')))::date AS today;

-- name: of_days
-- Of whole days of the database's zone, from sums: by day, week, month (their first day), target or model from the sums
-- by target, model and day; by agent, branch or session, or of one agent, from those by session. Parameters: by; first,
-- last (null: no end); repo_id, agent, each null for "any"; most.
WITH target AS MATERIALIZED (
    SELECT id, repo_id, name FROM targets WHERE %(repo_id)s::text IS NULL OR repo_id = %(repo_id)s
), used AS (
    SELECT CASE %(by)s::text WHEN 'day' THEN u.usage_date::text
                             WHEN 'week' THEN date_trunc('week', u.usage_date)::date::text
                             WHEN 'month' THEN date_trunc('month', u.usage_date)::date::text
                             WHEN 'target' THEN t.repo_id
                             ELSE u.model END AS key,
           CASE WHEN %(by)s = 'target' THEN t.name END AS name, u.model,
           u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens, u.cost_usd, u.request_count,
           u.unpriced_requests
    FROM model_usage u JOIN target t ON t.id = u.target_id
    WHERE %(by)s NOT IN ('agent', 'branch', 'session') AND %(agent)s::text IS NULL
      AND u.usage_date >= %(first)s::date AND (%(last)s::date IS NULL OR u.usage_date <= %(last)s::date)
    UNION ALL
    SELECT CASE %(by)s WHEN 'day' THEN u.usage_date::text
                       WHEN 'week' THEN date_trunc('week', u.usage_date)::date::text
                       WHEN 'month' THEN date_trunc('month', u.usage_date)::date::text
                       WHEN 'target' THEN t.repo_id
                       WHEN 'model' THEN u.model
                       WHEN 'agent' THEN h.agent
                       WHEN 'branch' THEN h.branch
                       ELSE h.id::text END,
           CASE %(by)s WHEN 'target' THEN t.name
                       WHEN 'session' THEN t.repo_id || coalesce(' #' || h.session_number, '') END, u.model,
           u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens, u.cost_usd, u.request_count,
           u.unpriced_requests
    FROM session_usage u
    JOIN target t ON t.id = u.target_id
    JOIN harness_sessions h ON h.target_id = u.target_id AND h.id = u.session_id
    WHERE (%(by)s IN ('agent', 'branch', 'session') OR %(agent)s IS NOT NULL)
      AND (%(agent)s IS NULL OR h.agent = %(agent)s)
      AND u.usage_date >= %(first)s::date AND (%(last)s::date IS NULL OR u.usage_date <= %(last)s::date)
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT key, CASE WHEN grouping(key) = 0 THEN max(name) END AS name, count(*) OVER () - 1 AS "rowCount",
           coalesce(sum(cost_usd), 0) AS "costUsd", coalesce(sum(request_count), 0) AS requests,
           coalesce(sum(unpriced_requests), 0) AS "unpricedRequests",
           coalesce(sum(input_tokens), 0) AS "inputTokens", coalesce(sum(output_tokens), 0) AS "outputTokens",
           coalesce(sum(cache_read_tokens), 0) AS "cacheReadTokens",
           coalesce(sum(cache_write_tokens), 0) AS "cacheWriteTokens",
           coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), 0) AS "totalTokens",
           coalesce(array_agg(DISTINCT model ORDER BY model) FILTER (WHERE model IS NOT NULL), '{}') AS models
    FROM used
    GROUP BY GROUPING SETS ((key), ())
    ORDER BY grouping(key) DESC, CASE WHEN %(by)s IN ('day', 'week', 'month') THEN key END DESC,
             sum(cost_usd) DESC, key
    LIMIT %(most)s::bigint + 1
) AS shown;

-- name: of_requests
-- The same of any time and in any zone, from the ledger rows themselves. Parameters: by; since, until (null: no end);
-- zone; repo_id, agent, each null for "any"; most.
WITH used AS (
    SELECT CASE %(by)s::text WHEN 'day' THEN (u.requested_at AT TIME ZONE %(zone)s)::date::text
                             WHEN 'week' THEN date_trunc('week', u.requested_at AT TIME ZONE %(zone)s)::date::text
                             WHEN 'month' THEN date_trunc('month', u.requested_at AT TIME ZONE %(zone)s)::date::text
                             WHEN 'target' THEN t.repo_id
                             WHEN 'model' THEN u.model
                             WHEN 'agent' THEN h.agent
                             WHEN 'branch' THEN h.branch
                             ELSE h.id::text END AS key,
           CASE %(by)s WHEN 'target' THEN t.name
                       WHEN 'session' THEN t.repo_id || coalesce(' #' || h.session_number, '') END AS name, u.model,
           u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens, u.cost_usd, u.is_request
    FROM token_usage_details u
    JOIN targets t ON t.id = u.target_id
    JOIN harness_sessions h ON h.target_id = u.target_id AND h.id = u.session_id
    WHERE u.requested_at >= %(since)s::timestamptz
      AND (%(until)s::timestamptz IS NULL OR u.requested_at < %(until)s::timestamptz)
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
      AND (%(agent)s::text IS NULL OR h.agent = %(agent)s)
), summed AS (
    SELECT key, name, model, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
           sum(cache_read_tokens) AS cache_read_tokens, sum(cache_write_tokens) AS cache_write_tokens,
           sum(cost_usd) AS cost_usd, count(*) FILTER (WHERE is_request) AS requests,
           count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced
    FROM used
    GROUP BY key, name, model
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT key, CASE WHEN grouping(key) = 0 THEN max(name) END AS name, count(*) OVER () - 1 AS "rowCount",
           coalesce(sum(cost_usd), 0) AS "costUsd", coalesce(sum(requests), 0) AS requests,
           coalesce(sum(unpriced), 0) AS "unpricedRequests",
           coalesce(sum(input_tokens), 0) AS "inputTokens", coalesce(sum(output_tokens), 0) AS "outputTokens",
           coalesce(sum(cache_read_tokens), 0) AS "cacheReadTokens",
           coalesce(sum(cache_write_tokens), 0) AS "cacheWriteTokens",
           coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), 0) AS "totalTokens",
           coalesce(array_agg(DISTINCT model ORDER BY model) FILTER (WHERE model IS NOT NULL), '{}') AS models
    FROM summed
    GROUP BY GROUPING SETS ((key), ())
    ORDER BY grouping(key) DESC, CASE WHEN %(by)s IN ('day', 'week', 'month') THEN key END DESC,
             sum(cost_usd) DESC NULLS LAST, key
    LIMIT %(most)s::bigint + 1
) AS shown;

-- name: of_shares
-- The same by feature or commit. By feature: what a session spent, shared evenly among the features that it implemented.
-- By commit: a request counts for the next commit of its session (git tells whole seconds). What belongs to none has no
-- key. Shares of tokens and requests are rounded. Parameters as for of_requests.
WITH spent AS (
    SELECT u.target_id, u.session_id, t.repo_id, c.sha, c.subject, u.model, sum(u.input_tokens) AS input_tokens,
           sum(u.output_tokens) AS output_tokens, sum(u.cache_read_tokens) AS cache_read_tokens,
           sum(u.cache_write_tokens) AS cache_write_tokens, sum(u.cost_usd) AS cost_usd,
           count(*) FILTER (WHERE u.is_request) AS requests, count(*) FILTER (WHERE u.cost_usd IS NULL) AS unpriced
    FROM token_usage_details u
    JOIN targets t ON t.id = u.target_id
    JOIN harness_sessions h ON h.target_id = u.target_id AND h.id = u.session_id
    LEFT JOIN LATERAL (
        SELECT c.sha, split_part(c.message, E'\n', 1) AS subject
        FROM harness_commits c
        WHERE %(by)s::text = 'commit' AND c.target_id = u.target_id AND c.session_id = u.session_id
          AND c.committed_at + interval '1 second' > u.requested_at
        ORDER BY c.committed_at, c.sha LIMIT 1) AS c ON true
    WHERE u.requested_at >= %(since)s::timestamptz
      AND (%(until)s::timestamptz IS NULL OR u.requested_at < %(until)s::timestamptz)
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
      AND (%(agent)s::text IS NULL OR h.agent = %(agent)s)
    GROUP BY u.target_id, u.session_id, t.repo_id, c.sha, c.subject, u.model
), made AS (
    SELECT f.target_id, f.session_id, f.feature_key, f.name,
           count(*) OVER (PARTITION BY f.target_id, f.session_id) AS features
    FROM target_features f
    WHERE %(by)s = 'feature' AND f.session_id IS NOT NULL AND f.implemented_at IS NOT NULL AND f.removed_at IS NULL
), used AS (
    SELECT CASE %(by)s WHEN 'commit' THEN s.sha ELSE s.repo_id || '/' || m.feature_key END AS key,
           coalesce(s.subject, m.name) AS name, s.model, s.input_tokens / coalesce(m.features, 1) AS input_tokens,
           s.output_tokens / coalesce(m.features, 1) AS output_tokens,
           s.cache_read_tokens / coalesce(m.features, 1) AS cache_read_tokens,
           s.cache_write_tokens / coalesce(m.features, 1) AS cache_write_tokens,
           s.cost_usd / coalesce(m.features, 1) AS cost_usd,
           s.requests::numeric / coalesce(m.features, 1) AS requests,
           s.unpriced::numeric / coalesce(m.features, 1) AS unpriced
    FROM spent s
    LEFT JOIN made m ON m.target_id = s.target_id AND m.session_id = s.session_id
    UNION ALL
    -- The sum of all is that of whole sessions: shares of thirds do not add up to the last digit.
    SELECT NULL, '', model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd, requests, unpriced
    FROM spent
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT key, CASE WHEN key IS NOT NULL THEN max(name) END AS name, count(*) OVER () - 1 AS "rowCount",
           coalesce(sum(cost_usd), 0) AS "costUsd", round(coalesce(sum(requests), 0)) AS requests,
           ceil(coalesce(sum(unpriced), 0)) AS "unpricedRequests",
           round(coalesce(sum(input_tokens), 0)) AS "inputTokens", round(coalesce(sum(output_tokens), 0)) AS "outputTokens",
           round(coalesce(sum(cache_read_tokens), 0)) AS "cacheReadTokens",
           round(coalesce(sum(cache_write_tokens), 0)) AS "cacheWriteTokens",
           round(coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), 0)) AS "totalTokens",
           coalesce(array_agg(DISTINCT model ORDER BY model) FILTER (WHERE model IS NOT NULL), '{}') AS models
    FROM (SELECT *, name IS NOT DISTINCT FROM '' AND key IS NULL AS whole FROM used
          UNION ALL SELECT NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true) AS every
    GROUP BY whole, key
    ORDER BY whole DESC, sum(cost_usd) DESC NULLS LAST, key
    LIMIT %(most)s::bigint + 1
) AS shown;

-- name: at_list_price
-- How much of the cost of a time is of sessions whose account is billed by the month: what it would be at list price.
-- Whole days come from the sums by session. Parameters: whole_days; first, last; since, until; repo_id, agent; each end
-- and filter null for none. Gives a JSON number.
SELECT to_json(coalesce(sum(cost), 0))
FROM (
    SELECT u.cost_usd AS cost
    FROM harness_sessions h
    JOIN targets t ON t.id = h.target_id
    JOIN session_usage u ON u.target_id = h.target_id AND u.session_id = h.id
    WHERE %(whole_days)s::boolean AND h.billing = 'subscription'
      AND u.usage_date >= %(first)s::date AND (%(last)s::date IS NULL OR u.usage_date <= %(last)s::date)
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
      AND (%(agent)s::text IS NULL OR h.agent = %(agent)s)
    UNION ALL
    SELECT u.cost_usd
    FROM harness_sessions h
    JOIN targets t ON t.id = h.target_id
    JOIN token_usage_details u ON u.target_id = h.target_id AND u.session_id = h.id
    WHERE NOT %(whole_days)s AND h.billing = 'subscription' AND u.requested_at >= %(since)s::timestamptz
      AND (%(until)s::timestamptz IS NULL OR u.requested_at < %(until)s::timestamptz)
      AND (%(repo_id)s IS NULL OR t.repo_id = %(repo_id)s)
      AND (%(agent)s IS NULL OR h.agent = %(agent)s)
) AS spent;

-- name: priced_how
-- Whether sessions under a subscription are among those of a target (repo_id null: of all), and whether others are, of
-- those that used anything. Gives a JSON object.
SELECT json_build_object(
    'subscribed', EXISTS (
        SELECT FROM harness_sessions h JOIN targets t ON t.id = h.target_id
        WHERE h.billing = 'subscription' AND h.cost_usd > 0
          AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)),
    'otherwise', EXISTS (
        SELECT FROM harness_sessions h JOIN targets t ON t.id = h.target_id
        WHERE h.billing IS DISTINCT FROM 'subscription' AND h.cost_usd > 0
          AND (%(repo_id)s IS NULL OR t.repo_id = %(repo_id)s)));

-- name: by_hour
-- What was spent in each hour (of UTC), oldest first: what blocks of five hours are made of, which begin at a full hour.
-- Parameters: since, until (null: no end); repo_id, agent, each null for "any". Gives a JSON array.
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT date_trunc('hour', u.requested_at, 'UTC') AS hour, min(u.requested_at) AS "firstAt",
           max(u.requested_at) AS "lastAt", coalesce(sum(u.cost_usd), 0) AS "costUsd",
           count(*) FILTER (WHERE u.is_request) AS requests,
           count(*) FILTER (WHERE u.cost_usd IS NULL) AS "unpricedRequests", sum(u.input_tokens) AS "inputTokens",
           sum(u.output_tokens) AS "outputTokens", sum(u.cache_read_tokens) AS "cacheReadTokens",
           sum(u.cache_write_tokens) AS "cacheWriteTokens",
           sum(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens) AS "totalTokens",
           array_agg(DISTINCT u.model ORDER BY u.model) AS models
    FROM token_usage_details u
    JOIN targets t ON t.id = u.target_id
    JOIN harness_sessions h ON h.target_id = u.target_id AND h.id = u.session_id
    WHERE u.requested_at >= %(since)s::timestamptz
      AND (%(until)s::timestamptz IS NULL OR u.requested_at < %(until)s::timestamptz)
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
      AND (%(agent)s::text IS NULL OR h.agent = %(agent)s)
    GROUP BY date_trunc('hour', u.requested_at, 'UTC')
    ORDER BY 1
) AS shown;
