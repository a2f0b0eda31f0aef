-- name: identity
-- Names this database and no other, a copy or a restored dump on another server included: an order of transactions
-- means nothing anywhere else.
SELECT left(encode(sha256(convert_to(concat_ws('/',
    (SELECT value FROM acd_settings WHERE key = 'database_id'),
    (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid FROM pg_database WHERE datname = current_database())), 'UTF8')), 'hex'), 16) AS identity

-- name: horizon
-- The transaction below which everything has ended, so that nothing can appear there any more: what is read up to it has
-- no gap, as reading by a number alone has. `news`: something of the stream came since `after`; `waiting`: something is
-- committed that an older transaction still hides.
SELECT s.horizon::text,
       EXISTS (SELECT FROM session_events e WHERE e.txid >= %(after)s::text::xid8 AND e.txid < s.horizon)
       OR EXISTS (SELECT FROM request_owners o WHERE o.txid >= %(after)s::text::xid8 AND o.txid < s.horizon) AS news,
       EXISTS (SELECT FROM session_events e WHERE e.txid >= s.horizon)
       OR EXISTS (SELECT FROM request_owners o WHERE o.txid >= s.horizon) AS waiting
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon) AS s

-- name: page
-- What was committed behind a place and below the horizon: the timeline of every session (or of a target's), and each
-- request once, when it was first recorded, with the figures that it has now. In the order of transactions, within one
-- in the order of the session's lines; a request stands behind the session's beginning and before all else. A place is
-- (txid, seq, rank, key). `data` is null for what is gone in the meantime. A plan that is made once expects a tenth of
-- every table behind a LIMIT, and would read whole tables for a page: hence the look-ups one by one.
WITH picked AS (
    SELECT * FROM (
        (SELECT e.txid, e.seq, 0 AS rank, e.target_id::text || '/' || e.session_id::text COLLATE "C" AS key,
                e.target_id, e.session_id, NULL::text AS request_key, e.kind, e.occurred_at, e.tool_name, e.subagent,
                e.duration_ms, e.outcome, e.text
         FROM session_events e
         WHERE (e.txid, e.seq, 0, e.target_id::text || '/' || e.session_id::text COLLATE "C")
               > (%(txid)s::text::xid8, %(seq)s::bigint, %(rank)s::integer, %(key)s::text COLLATE "C")
           AND e.txid < %(horizon)s::text::xid8
           AND (%(target_id)s::uuid IS NULL OR e.target_id = %(target_id)s)
         ORDER BY 1, 2, 4
         LIMIT %(limit)s::bigint)
        UNION ALL
        (SELECT o.txid, 0, 1, o.request_key COLLATE "C", o.target_id, o.session_id, o.request_key, 'request',
                NULL, NULL, NULL, NULL, NULL, NULL
         FROM request_owners o
         WHERE (o.txid, 0::bigint, 1, o.request_key COLLATE "C")
               > (%(txid)s::text::xid8, %(seq)s::bigint, %(rank)s::integer, %(key)s::text COLLATE "C")
           AND o.txid < %(horizon)s::text::xid8
           AND (%(target_id)s::uuid IS NULL OR o.target_id = %(target_id)s)
         ORDER BY 1, 4
         LIMIT %(limit)s::bigint)
    ) AS both_kinds
    ORDER BY txid, seq, rank, key
    LIMIT %(limit)s::bigint
)
SELECT p.txid::text, p.seq, p.rank, p.key, p.kind,
       CASE WHEN s.id IS NOT NULL THEN json_strip_nulls(json_build_object(
           'sessionId', p.session_id,
           'target', json_build_object('name', t.name, 'repoId', t.repo_id),
           'kind', p.kind,
           'at', coalesce(p.occurred_at, d.requested_at),
           'toolName', coalesce(p.tool_name, d.tool_name),
           'subagent', coalesce(p.subagent, d.subagent),
           'durationMs', p.duration_ms,
           'outcome', p.outcome,
           'text', nullif(p.text, ''),
           'session', CASE WHEN p.kind IN ('started', 'ended') THEN json_build_object(
               'sessionNumber', s.session_number, 'sessionType', s.session_type, 'agent', s.agent, 'model', s.model,
               'host', s.host, 'status', s.status, 'startedAt', s.started_at, 'finishedAt', s.finished_at,
               'durationMs', s.duration_ms, 'errorType', s.error_type, 'requestCount', s.request_count,
               'totalTokens', s.input_tokens + s.output_tokens + s.cache_read_tokens + s.cache_write_tokens,
               'costUsd', s.cost_usd, 'featuresCompleted', s.features_completed, 'commitsMade', s.commits_made) END,
           'request', CASE WHEN p.rank = 1 THEN json_build_object(
               'requestKey', p.request_key, 'model', d.model, 'inputTokens', d.input_tokens,
               'outputTokens', d.output_tokens, 'cacheReadTokens', d.cache_read_tokens,
               'cacheWriteTokens', d.cache_write_tokens, 'costUsd', d.cost_usd) END)) END::text AS data
FROM picked p
LEFT JOIN targets t ON t.id = p.target_id
LEFT JOIN LATERAL (
    SELECT * FROM harness_sessions h WHERE h.target_id = p.target_id AND h.id = p.session_id LIMIT 1) AS s ON true
LEFT JOIN LATERAL (
    SELECT * FROM token_usage_details u WHERE u.target_id = p.target_id AND u.request_key = p.request_key LIMIT 1) AS d ON true
ORDER BY p.txid, p.seq, p.rank, p.key

-- name: target_id
-- The id of the target that is followed.
SELECT id FROM targets WHERE repo_id = %(repo_id)s
