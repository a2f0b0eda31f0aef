-- name: page
-- A part of a session's timeline with its requests beside it: at most `limit` events from the one after `after_seq` on,
-- of the `kinds` (names between commas; null for all); the requests between the first of them and the event behind the last one, by
-- time; what all requests before those used. The first page has the requests before its first event, too. One JSON
-- object; no row when there is no such session.
WITH one AS (
    SELECT target_id, id FROM harness_sessions WHERE id = %(id)s::uuid
), found AS MATERIALIZED (
    SELECT v.*, row_number() OVER (ORDER BY v.seq) AS place
    FROM (
        SELECT v.seq, v.kind, v.occurred_at, v.tool_name, v.tool_use_id, v.subagent, v.duration_ms, v.outcome, v.text
        FROM session_events v  -- no join: the rows come in the order of the index, and end with the limit
        WHERE v.target_id = (SELECT target_id FROM one) AND v.session_id = (SELECT id FROM one)
          AND v.seq > %(after_seq)s::bigint AND (%(kinds)s::text IS NULL OR v.kind = ANY (string_to_array(%(kinds)s, ',')))
        ORDER BY v.seq
        LIMIT %(limit)s::bigint + 1
    ) AS v
), bounds AS MATERIALIZED (
    SELECT CASE WHEN %(after_seq)s::bigint < 0 THEN '-infinity'
                ELSE coalesce((SELECT occurred_at FROM found WHERE place = 1), 'infinity') END AS first,
           coalesce((SELECT occurred_at FROM found WHERE place = %(limit)s::bigint + 1), 'infinity') AS last
), requests AS MATERIALIZED (
    SELECT u.request_key, u.model, u.is_request, u.tools, u.subagent, u.input_tokens, u.output_tokens,
           u.cache_read_tokens, u.cache_write_tokens, u.cost_usd, u.requested_at
    FROM token_usage_details u
    WHERE u.target_id = (SELECT target_id FROM one) AND u.session_id = (SELECT id FROM one) AND %(with_requests)s::boolean
      AND u.requested_at >= (SELECT first FROM bounds) AND u.requested_at < (SELECT last FROM bounds)
), earlier AS MATERIALIZED (
    -- Only added up: there may be tens of thousands.
    SELECT count(*) FILTER (WHERE u.is_request) AS requests, coalesce(sum(u.cost_usd), 0) AS cost,
           coalesce(sum(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens), 0) AS tokens
    FROM token_usage_details u
    WHERE u.target_id = (SELECT target_id FROM one) AND u.session_id = (SELECT id FROM one) AND %(with_requests)s::boolean
      AND (SELECT first FROM bounds) > '-infinity' AND u.requested_at < (SELECT first FROM bounds)
)
SELECT json_build_object(
    'events', (SELECT coalesce(json_agg(shown ORDER BY shown.seq), '[]') FROM (
        SELECT seq, kind, occurred_at AS "occurredAt", tool_name AS "toolName", tool_use_id AS "toolUseId", subagent,
               duration_ms AS "durationMs", outcome, text
        FROM found WHERE place <= %(limit)s::bigint) AS shown),
    'more', (SELECT count(*) > %(limit)s::bigint FROM found),
    'requests', (SELECT coalesce(json_agg(shown ORDER BY shown."requestedAt", shown."requestKey"), '[]') FROM (
        SELECT request_key AS "requestKey", model, is_request AS "isRequest", tools, subagent,
               input_tokens AS "inputTokens", output_tokens AS "outputTokens", cache_read_tokens AS "cacheReadTokens",
               cache_write_tokens AS "cacheWriteTokens", cost_usd AS "costUsd", requested_at AS "requestedAt"
        FROM requests) AS shown),
    'before', (SELECT json_build_object('requests', requests, 'tokens', tokens, 'costUsd', cost) FROM earlier))
FROM one;

-- name: place_at
-- The event of a session behind which the first one at `at` or later stands; with none so late, the last. `event` is
-- that one's number. No row when there is no such session.
SELECT coalesce(f.seq, l.seq) AS event, coalesce(
           (SELECT v.seq FROM session_events v
            WHERE v.target_id = s.target_id AND v.session_id = s.id AND v.seq < coalesce(f.seq, l.seq)
            ORDER BY v.seq DESC OFFSET %(context)s::bigint LIMIT 1), -1) AS after
FROM harness_sessions s
LEFT JOIN LATERAL (
    SELECT v.seq FROM session_events v
    WHERE v.target_id = s.target_id AND v.session_id = s.id AND v.occurred_at >= %(at)s::timestamptz
    ORDER BY v.seq LIMIT 1) AS f ON true
LEFT JOIN LATERAL (
    SELECT v.seq FROM session_events v
    WHERE v.target_id = s.target_id AND v.session_id = s.id
    ORDER BY v.seq DESC LIMIT 1) AS l ON true
WHERE s.id = %(id)s::uuid;

-- name: place_before
-- The place of the page that ends with event `seq`: `after_seq` of it. -1 is the first page's.
SELECT coalesce((
    SELECT v.seq FROM session_events v
    WHERE v.target_id = s.target_id AND v.session_id = s.id AND v.seq <= %(seq)s::bigint
      AND (%(kinds)s::text IS NULL OR v.kind = ANY (string_to_array(%(kinds)s, ',')))
    ORDER BY v.seq DESC OFFSET %(limit)s::bigint LIMIT 1), -1) AS after
FROM harness_sessions s
WHERE s.id = %(id)s::uuid;

-- name: curve
-- What a session had used by when, in at most `steps` steps of equal length from its beginning to its last request:
-- JSON array of the steps in which something was used.
WITH used AS MATERIALIZED (
    SELECT greatest(u.requested_at, s.started_at) AS at, s.started_at, u.cost_usd,
           u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens AS tokens
    FROM harness_sessions s
    JOIN token_usage_details u ON u.target_id = s.target_id AND u.session_id = s.id
    WHERE s.id = %(id)s::uuid
), span AS (
    SELECT extract(epoch FROM max(at) - min(started_at))::double precision AS seconds FROM used
), steps AS (
    SELECT least(floor(extract(epoch FROM at - started_at)::double precision * %(steps)s::integer / nullif(p.seconds, 0)),
                 %(steps)s::integer - 1) AS step,
           max(at) AS at, coalesce(sum(cost_usd), 0) AS cost, sum(tokens) AS tokens
    FROM used CROSS JOIN span p
    GROUP BY 1
)
SELECT coalesce(json_agg(json_build_object('at', at, 'costUsd', running_cost, 'tokens', running_tokens) ORDER BY at), '[]')
FROM (
    SELECT at, sum(cost) OVER (ORDER BY at) AS running_cost, sum(tokens) OVER (ORDER BY at) AS running_tokens FROM steps
) AS summed;

-- name: ending
-- Of the last `looked_at` events of a session those of the `kinds` (names between commas), oldest first: how it came to its end. JSON
-- array.
SELECT coalesce(json_agg(shown ORDER BY shown.seq), '[]')
FROM (
    SELECT v.seq, v.kind, v.occurred_at AS "occurredAt", v.tool_name AS "toolName", v.tool_use_id AS "toolUseId",
           v.subagent, v.duration_ms AS "durationMs", v.outcome, v.text
    FROM (
        SELECT v.*
        FROM session_events v
        WHERE v.target_id = (SELECT target_id FROM harness_sessions WHERE id = %(id)s::uuid)
          AND v.session_id = %(id)s::uuid
        ORDER BY v.seq DESC
        LIMIT %(looked_at)s::bigint
    ) AS v
    WHERE v.kind = ANY (string_to_array(%(kinds)s, ','))
) AS shown;
