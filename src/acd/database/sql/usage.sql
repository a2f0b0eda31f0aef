-- name: by_model
-- What models used over the last `days` days (today included, days of the database's time zone), of one target or
-- (repo_id null) of all. Models by cost, days newest first. Costs leave out what has no known price, and
-- unpricedRequests says how many requests that are. Gives one JSON object.
WITH chosen AS MATERIALIZED (
    SELECT model, usage_date, sum(total_tokens) AS total_tokens, sum(cost_usd) AS cost_usd,
           sum(request_count) AS request_count, sum(unpriced_requests) AS unpriced_requests,
           sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
           sum(cache_read_tokens) AS cache_read_tokens, sum(cache_write_tokens) AS cache_write_tokens
    FROM model_usage u
    WHERE u.usage_date > current_date - %(days)s::integer
      AND (%(repo_id)s::text IS NULL OR u.target_id = (SELECT id FROM targets WHERE repo_id = %(repo_id)s))
    GROUP BY model, usage_date
), models AS (
    SELECT model, sum(total_tokens) AS tokens, sum(cost_usd) AS cost, sum(request_count) AS requests,
           sum(unpriced_requests) AS "unpricedRequests", sum(input_tokens) AS "inputTokens", sum(output_tokens) AS "outputTokens",
           sum(cache_read_tokens) AS "cacheReadTokens", sum(cache_write_tokens) AS "cacheWriteTokens"
    FROM chosen
    GROUP BY model
), by_day AS (
    SELECT usage_date AS date, sum(total_tokens) AS tokens, sum(cost_usd) AS cost, sum(request_count) AS requests,
           sum(unpriced_requests) AS "unpricedRequests", sum(input_tokens) AS "inputTokens", sum(output_tokens) AS "outputTokens",
           sum(cache_read_tokens) AS "cacheReadTokens", sum(cache_write_tokens) AS "cacheWriteTokens"
    FROM chosen
    GROUP BY usage_date
)
SELECT json_build_object(
    'periodDays', %(days)s::integer,
    'totalTokens', (SELECT coalesce(sum(tokens), 0) FROM models),
    'totalCost', (SELECT coalesce(sum(cost), 0) FROM models),
    'totalRequests', (SELECT coalesce(sum(requests), 0) FROM models),
    'unpricedRequests', (SELECT coalesce(sum("unpricedRequests"), 0) FROM models),
    'byModel', (
        SELECT coalesce(json_object_agg(model, json_build_object(
            'tokens', tokens, 'cost', cost, 'requests', requests,
            'unpricedRequests', "unpricedRequests", 'inputTokens', "inputTokens", 'outputTokens', "outputTokens", 'cacheReadTokens', "cacheReadTokens",
            'cacheWriteTokens', "cacheWriteTokens") ORDER BY cost DESC, model), '{}')
        FROM models),
    'byDay', (SELECT coalesce(json_agg(by_day ORDER BY date DESC), '[]') FROM by_day));

-- name: recent
-- Ledger rows, newest first. Parameters: limit; after_at, after_key, the place behind which the page begins ('infinity'
-- for the first); session_id, repo_id, model, each null for "any". Their place is `listed_at`, which never changes. The
-- three parts exclude each other, so that rows of a session and of a target come from an index of their own. Gives a
-- JSON array.
WITH picked AS (
    (SELECT u.*
     FROM token_usage_details u
     WHERE %(session_id)s::uuid IS NULL AND %(repo_id)s::text IS NULL
       AND (u.listed_at, u.request_key) < (%(after_at)s::timestamptz, %(after_key)s::text)
       AND (%(model)s::text IS NULL OR u.model = %(model)s)
     ORDER BY u.listed_at DESC, u.request_key DESC
     LIMIT %(limit)s::bigint)
    UNION ALL
    (SELECT u.*
     FROM token_usage_details u
     WHERE %(session_id)s::uuid IS NULL AND %(repo_id)s::text IS NOT NULL
       AND u.target_id = (SELECT id FROM targets WHERE repo_id = %(repo_id)s)
       AND (u.listed_at, u.request_key) < (%(after_at)s::timestamptz, %(after_key)s::text)
       AND (%(model)s::text IS NULL OR u.model = %(model)s)
     ORDER BY u.listed_at DESC, u.request_key DESC
     LIMIT %(limit)s::bigint)
    UNION ALL
    (SELECT u.*
     FROM harness_sessions s
     JOIN token_usage_details u ON u.target_id = s.target_id AND u.session_id = s.id
     WHERE s.id = %(session_id)s::uuid
       AND (u.listed_at, u.request_key) < (%(after_at)s::timestamptz, %(after_key)s::text)
       AND (%(repo_id)s::text IS NULL OR u.target_id = (SELECT id FROM targets WHERE repo_id = %(repo_id)s))
       AND (%(model)s::text IS NULL OR u.model = %(model)s)
     ORDER BY u.listed_at DESC, u.request_key DESC
     LIMIT %(limit)s::bigint)
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT u.request_key AS "requestKey", u.target_id AS "targetId", u.session_id AS "sessionId", u.model,
           u.request_ids AS "requestIds", u.is_request AS "isRequest", u.input_tokens AS "inputTokens",
           u.output_tokens AS "outputTokens", u.cache_read_tokens AS "cacheReadTokens",
           u.cache_write_tokens AS "cacheWriteTokens", u.cache_write_5m_tokens AS "cacheWrite5mTokens",
           u.cache_write_1h_tokens AS "cacheWrite1hTokens", u.reasoning_tokens AS "reasoningTokens",
           u.web_searches AS "webSearches", u.cost_usd AS "costUsd", u.price_source AS "priceSource",
           u.price_date AS "priceDate", u.tool_name AS "toolName", u.tools, u.subagent,
           u.requested_at AS "requestedAt", u.listed_at AS "listedAt",
           json_build_object('name', t.name, 'repoId', t.repo_id) AS target
    FROM picked u
    JOIN targets t ON t.id = u.target_id
    ORDER BY u.listed_at DESC, u.request_key DESC
) AS shown;

-- name: totals
-- The same spending summed four ways: by sessions, by ledger rows, by model and day, by target and day. Snapshots
-- hold no kinds of tokens, only their sum. One row a way; all four must agree to the token and to the last digit.
SELECT way, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, total_tokens, cost_usd
FROM (
    SELECT 1 AS place, 'harness_sessions' AS way, coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
           coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
           coalesce(sum(cache_read_tokens), 0)::bigint AS cache_read_tokens,
           coalesce(sum(cache_write_tokens), 0)::bigint AS cache_write_tokens,
           coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), 0)::bigint AS total_tokens,
           coalesce(sum(cost_usd), 0) AS cost_usd
    FROM harness_sessions
    UNION ALL
    SELECT 2, 'token_usage_details', coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint,
           coalesce(sum(cache_read_tokens), 0)::bigint, coalesce(sum(cache_write_tokens), 0)::bigint,
           coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), 0)::bigint,
           coalesce(sum(cost_usd), 0)
    FROM token_usage_details
    UNION ALL
    SELECT 3, 'model_usage', coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint,
           coalesce(sum(cache_read_tokens), 0)::bigint, coalesce(sum(cache_write_tokens), 0)::bigint,
           coalesce(sum(total_tokens), 0)::bigint, coalesce(sum(cost_usd), 0)
    FROM model_usage
    UNION ALL
    SELECT 4, 'progress_snapshots', NULL, NULL, NULL, NULL,
           coalesce(sum(tokens_today), 0)::bigint, coalesce(sum(cost_today), 0)
    FROM progress_snapshots
) AS ways
ORDER BY place;
