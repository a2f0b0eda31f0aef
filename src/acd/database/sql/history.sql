-- History that agents left in their own folders (`acd import`): many sessions in one transaction. What is asked of one
-- session at a time stands in ledger.sql and rollups.sql; the rules are the same.

-- name: known
-- Every file of this host's histories as it was when it was read last. Gives a JSON array of arrays.
SELECT coalesce(json_agg(json_build_array(name, inode::bigint, size, mtime_ns, read_offset, target_id, session_id)), '[]')
FROM ledger_files WHERE host = %(host)s AND mtime_ns IS NOT NULL;

-- name: remembered
-- What else is remembered of some of them.
SELECT name, target_id, session_id, head_sha256, head_length, tail_sha256, seen
FROM ledger_files WHERE host = %(host)s AND mtime_ns IS NOT NULL AND name = ANY(%(names)s::text[]);

-- name: targets_by_path
-- Targets and where they lie, those of queue files first; on this host also where another machine's were cloned to.
SELECT t.id, t.path, t.imported FROM targets t
UNION ALL
SELECT p.target_id, p.folder, t.imported FROM target_places p JOIN targets t ON t.id = p.target_id WHERE p.host = %(host)s
ORDER BY imported, id;

-- name: put_targets
-- Repositories that no queue file names; in one order, so that two imports never wait for each other.
INSERT INTO targets (id, repo_id, name, path, agent, enabled, imported)
SELECT r.id, r.repo_id, r.name, r.path, r.agent, false, true
FROM json_to_recordset(%(rows)s::json) AS r (id uuid, repo_id text, name text, path text, agent text)
ORDER BY r.id
ON CONFLICT DO NOTHING;

-- name: sessions_by_id
-- Which of these sessions are known, where, from whom, and the day on which each began.
SELECT id, target_id, origin, started_at::date AS started_day FROM harness_sessions WHERE id = ANY(%(ids)s::uuid[]);

-- name: put_files
-- The new offsets; each only when its file still stands where the batch began (fewer rows than files: another import
-- was faster). A file that was rewritten is counted from its beginning again, and so are a store's entries. News of a
-- session in a store (it has no time of change of its own) is told by its timeline when somebody looks again.
WITH r AS (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, name text, inode numeric,
        size bigint, mtime_ns bigint, head_sha256 text, head_length integer, tail_sha256 text, from_offset bigint,
        read_offset bigint, lines_read bigint, lines_left_out bigint, seen jsonb, anew boolean, recounted boolean)
)
INSERT INTO ledger_files AS f (target_id, session_id, host, name, inode, size, mtime_ns, head_sha256, head_length,
                               tail_sha256, read_offset, lines_read, lines_left_out, seen)
SELECT r.target_id, r.session_id, %(host)s, r.name, r.inode, r.size, r.mtime_ns, r.head_sha256, r.head_length,
       r.tail_sha256, r.read_offset, r.lines_read, r.lines_left_out, r.seen
FROM r
ON CONFLICT (target_id, session_id, host, name) DO UPDATE SET
    inode = excluded.inode, size = excluded.size, mtime_ns = excluded.mtime_ns, head_sha256 = excluded.head_sha256,
    head_length = excluded.head_length, tail_sha256 = excluded.tail_sha256, read_offset = excluded.read_offset,
    seen = excluded.seen, updated_at = now(),
    told_offset = CASE WHEN excluded.mtime_ns IS NOT NULL THEN f.told_offset END,
    lines_read = excluded.lines_read + CASE WHEN (SELECT r.anew OR r.recounted FROM r WHERE r.name = f.name
                                                  AND r.session_id = f.session_id) THEN 0 ELSE f.lines_read END,
    lines_left_out = excluded.lines_left_out + CASE WHEN (SELECT r.anew FROM r WHERE r.name = f.name
                                                  AND r.session_id = f.session_id) THEN 0 ELSE f.lines_left_out END
WHERE f.read_offset = (SELECT r.from_offset FROM r WHERE r.name = f.name AND r.session_id = f.session_id);

-- name: move_files
-- Files that told of no session so far get the target of the one that they tell of now.
UPDATE ledger_files f SET target_id = r.target_id
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, name text)
WHERE f.host = %(host)s AND f.target_id = '00000000-0000-0000-0000-000000000000'
  AND f.session_id = r.session_id AND f.name = r.name AND r.target_id <> f.target_id;

-- name: move_left_out
-- And with them the places of their lines that could not be read.
UPDATE left_out_lines l SET target_id = r.target_id
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, name text)
WHERE l.host = %(host)s AND l.target_id = '00000000-0000-0000-0000-000000000000'
  AND l.session_id = r.session_id AND l.name = r.name AND r.target_id <> l.target_id;

-- name: forget_left_out
-- Lines of files that were rewritten are no more where they were.
DELETE FROM left_out_lines l
USING json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, name text)
WHERE l.target_id = r.target_id AND l.session_id = r.session_id AND l.host = %(host)s AND l.name = r.name;

-- name: forget_entries
-- Entries of stores that were read again, wherever they were told: those at `places`, all where that is null.
DELETE FROM left_out_lines l
USING json_to_recordset(%(rows)s::json) AS r (name text, places bigint[])
WHERE l.host = %(host)s AND l.name = r.name AND (r.places IS NULL OR l.line_offset = ANY (r.places));

-- name: count_entries
-- How many entries of stores could not be read, with the session of each.
UPDATE ledger_files f SET lines_left_out = c.left_out
FROM (SELECT o.target_id, o.session_id, o.name,
             (SELECT count(*) FROM left_out_lines l WHERE l.target_id = o.target_id AND l.session_id = o.session_id
              AND l.host = o.host AND l.name = o.name) AS left_out
      FROM json_to_recordset(%(rows)s::json) AS r (name text)
      JOIN ledger_files o ON o.host = %(host)s AND o.name = r.name AND o.mtime_ns IS NULL) AS c
WHERE f.host = %(host)s AND f.name = c.name AND f.target_id = c.target_id AND f.session_id = c.session_id
  AND f.lines_left_out <> c.left_out;

-- name: put_left_out
-- Lines that could not be read.
INSERT INTO left_out_lines (target_id, session_id, host, name, line_offset, length, reason)
SELECT r.target_id, r.session_id, %(host)s, r.name, r.line_offset, r.length, r.reason
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, name text, line_offset bigint,
    length bigint, reason text)
ON CONFLICT DO NOTHING;

-- name: seen_of_sessions
-- What the files of some sessions tell of them.
SELECT f.target_id, f.session_id, f.host, f.name, f.seen
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
JOIN ledger_files f ON f.target_id = r.target_id AND f.session_id = r.session_id AND f.seen IS NOT NULL;

-- name: put_sessions
-- Rows of imported sessions, as their files tell them; those of others stay as they are. What its agent did last is
-- what ends a session, for an agent that works on as for one that is gone: in a failure where its last word was one. That
-- is the files' word, too: the error's row may be that of a session which the same error was copied to.
INSERT INTO harness_sessions AS s (target_id, id, session_type, origin, agent, agent_session_id, agent_version, model,
    status, error_type, error_message, started_at, finished_at, duration_ms, last_event_at, host, branch, billing)
SELECT r.target_id, r.id, 'interactive', 'import', r.agent, r.agent_session_id, r.agent_version, 'unknown',
    CASE WHEN r.error_type IS NULL THEN 'completed' ELSE 'failed' END, r.error_type, r.error_message,
    r.started_at, r.finished_at, floor(extract(epoch FROM r.finished_at - r.started_at) * 1000)::bigint, r.finished_at,
    %(host)s, r.branch, %(billing)s::text
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, id uuid, agent text, agent_session_id text,
    agent_version text, started_at timestamptz, finished_at timestamptz, branch text, error_type text,
    error_message text)
ON CONFLICT (target_id, id) DO UPDATE SET
    agent_version = excluded.agent_version, started_at = excluded.started_at, finished_at = excluded.finished_at,
    duration_ms = excluded.duration_ms, last_event_at = excluded.last_event_at, branch = excluded.branch,
    status = excluded.status, error_type = excluded.error_type, error_message = excluded.error_message,
    billing = coalesce(s.billing, excluded.billing), updated_at = now()
WHERE s.origin = 'import';

-- name: claim_requests
-- As `ledger.claim_requests`, for requests of several sessions: those that change hands.
WITH claimed AS (
    INSERT INTO request_owners AS o (request_key, target_id, session_id, first_seen_at, txid)
    SELECT r.request_key, r.target_id, r.session_id, r.requested_at, NULL
    FROM json_to_recordset(%(rows)s::json) AS r (request_key text, target_id uuid, session_id uuid,
        requested_at timestamptz)
    ON CONFLICT (request_key) DO UPDATE SET
        target_id = excluded.target_id, session_id = excluded.session_id, first_seen_at = excluded.first_seen_at
    WHERE (excluded.first_seen_at, excluded.session_id) < (o.first_seen_at, o.session_id)
    RETURNING request_key
)
SELECT request_key FROM claimed;

-- name: tied_with
-- Requests whose owner's earliest line is no earlier than another session's: a fork copies lines with their times.
SELECT o.request_key
FROM json_to_recordset(%(rows)s::json) AS r (request_key text, target_id uuid, session_id uuid, requested_at timestamptz)
JOIN request_owners o USING (request_key)
WHERE o.first_seen_at = r.requested_at AND o.session_id <> r.session_id;

-- name: mark_copies
-- Sessions whose files tell of requests that belong to other sessions.
UPDATE harness_sessions s SET copies = true
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
WHERE s.target_id = r.target_id AND s.id = r.session_id AND NOT s.copies;

-- name: put_errors
-- Errors that agents told. A session's copy tells them again: the row is that of the first place by name. They are
-- history, and do not wait for a person.
INSERT INTO harness_errors AS e (target_id, session_id, id, source, source_offset, error_type, error_code, message,
                                 stack_trace, context, attempt, retryable, resolved, resolved_at, occurred_at)
SELECT DISTINCT ON (r.target_id, r.id) r.target_id, r.session_id, r.id, r.source, r.source_offset, r.error_type,
       r.error_code, r.message, r.stack_trace, r.context, r.attempt, r.retryable, true, r.occurred_at, r.occurred_at
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, id uuid, source text,
    source_offset bigint, error_type text, error_code text, message text, stack_trace text, context jsonb,
    attempt integer, retryable boolean, occurred_at timestamptz)
WHERE NOT EXISTS (SELECT FROM harness_errors k WHERE k.target_id = r.target_id AND k.id <> r.id
                  AND k.source = r.source AND k.source_offset = r.source_offset)
ORDER BY r.target_id, r.id, r.source, r.source_offset
ON CONFLICT (target_id, id) DO UPDATE SET
    session_id = excluded.session_id, source = excluded.source, source_offset = excluded.source_offset
WHERE (excluded.source, excluded.source_offset) < (e.source, e.source_offset);

-- name: put_reports
-- What agents say that their sessions spent.
INSERT INTO session_reports (target_id, session_id, source, source_offset, final, models, own, duration_ms,
                             api_duration_ms, turns, error_type, error_message, reported_at)
SELECT r.target_id, r.session_id, r.source, r.source_offset, r.final, r.models, r.own, r.duration_ms,
       r.api_duration_ms, r.turns, r.error_type, r.error_message, r.reported_at
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, source text, source_offset bigint,
    final boolean, models jsonb, own jsonb, duration_ms bigint, api_duration_ms bigint, turns integer,
    error_type text, error_message text, reported_at timestamptz)
ON CONFLICT DO NOTHING;

-- name: reports_of
-- All reports of some sessions, with whether they are the sessions' own alone.
SELECT s.target_id, s.session_id, s.source, s.final, s.models, s.own, s.api_duration_ms, s.turns, s.reported_at,
       h.copies AND h.origin = 'import' AS copies
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
JOIN session_reports s ON s.target_id = r.target_id AND s.session_id = r.session_id
JOIN harness_sessions h ON h.target_id = r.target_id AND h.id = r.session_id
ORDER BY s.target_id, s.session_id, s.source, s.source_offset;

-- name: spent_by_model
-- As `ledger.spent_by_model`, of several sessions.
SELECT r.target_id, r.session_id, d.model, sum(d.input_tokens)::bigint AS input_tokens,
       sum(d.output_tokens)::bigint AS output_tokens, sum(d.cache_read_tokens)::bigint AS cache_read_tokens,
       sum(d.cache_write_tokens)::bigint AS cache_write_tokens,
       sum(d.cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
       sum(d.cache_write_1h_tokens)::bigint AS cache_write_1h_tokens,
       sum(d.reasoning_tokens)::bigint AS reasoning_tokens, sum(d.web_searches)::bigint AS web_searches,
       coalesce(sum(d.cost_usd), 0) AS cost_usd, (count(*) FILTER (WHERE d.cost_usd IS NULL))::integer AS unpriced,
       max(d.requested_at) AS last_requested_at
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
JOIN token_usage_details d ON d.target_id = r.target_id AND d.session_id = r.session_id AND d.is_request
GROUP BY r.target_id, r.session_id, d.model;

-- name: put_rests
-- As `ledger.put_rests`, of several sessions.
INSERT INTO token_usage_details (target_id, request_key, session_id, model, is_request, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens,
    web_searches, cost_usd, price_source, requested_at)
SELECT r.target_id, r.request_key, r.session_id, r.model, false, r.input_tokens, r.output_tokens,
    r.cache_read_tokens, r.cache_write_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens, r.reasoning_tokens,
    r.web_searches, r.cost_usd, CASE WHEN r.cost_usd IS NOT NULL THEN 'reported' END, r.requested_at
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, request_key text, model text,
    input_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint,
    cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, reasoning_tokens bigint, web_searches bigint,
    cost_usd numeric, requested_at timestamptz)
ON CONFLICT (target_id, request_key) DO UPDATE SET
    input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
    cache_write_5m_tokens = excluded.cache_write_5m_tokens, cache_write_1h_tokens = excluded.cache_write_1h_tokens,
    reasoning_tokens = excluded.reasoning_tokens, web_searches = excluded.web_searches, cost_usd = excluded.cost_usd,
    price_source = excluded.price_source, requested_at = excluded.requested_at;

-- name: drop_other_rests
-- Rows for rests of some sessions that are no more.
DELETE FROM token_usage_details d
USING json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
WHERE d.target_id = r.target_id AND d.session_id = r.session_id AND NOT d.is_request
  AND d.request_key <> ALL (%(keys)s::text[]);

-- name: put_reported
-- What agents say of whole sessions.
UPDATE harness_sessions s
SET reported_cost_usd = r.reported_cost_usd, turn_count = coalesce(r.turn_count, s.turn_count),
    api_duration_ms = r.api_duration_ms
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, reported_cost_usd numeric,
    turn_count integer, api_duration_ms bigint)
WHERE s.target_id = r.target_id AND s.id = r.session_id;

-- name: clear_reported
-- Sessions that were found to repeat others': what was reported is not theirs alone.
UPDATE harness_sessions s
SET reported_cost_usd = NULL, turn_count = NULL, api_duration_ms = NULL
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
WHERE s.target_id = r.target_id AND s.id = r.session_id AND s.origin = 'import';

-- name: session_usage
-- Ledger rows of sessions summed by model and day. Returns the days of targets that they touch or no longer touch.
WITH touched AS (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
), fresh AS (
    SELECT d.target_id, d.session_id, d.model, d.requested_at::date AS usage_date,
           sum(d.input_tokens)::bigint AS input_tokens, sum(d.output_tokens)::bigint AS output_tokens,
           sum(d.cache_read_tokens)::bigint AS cache_read_tokens,
           sum(d.cache_write_tokens)::bigint AS cache_write_tokens, coalesce(sum(d.cost_usd), 0) AS cost_usd,
           (count(*) FILTER (WHERE d.cost_usd IS NULL))::integer AS unpriced_requests,
           (count(*) FILTER (WHERE d.is_request))::integer AS request_count
    FROM touched t JOIN token_usage_details d ON d.target_id = t.target_id AND d.session_id = t.session_id
    GROUP BY d.target_id, d.session_id, d.model, d.requested_at::date
), gone AS (
    DELETE FROM session_usage u USING touched t
    WHERE u.target_id = t.target_id AND u.session_id = t.session_id
      AND NOT EXISTS (SELECT FROM fresh f WHERE (f.target_id, f.session_id, f.model, f.usage_date)
                                              = (u.target_id, u.session_id, u.model, u.usage_date))
    RETURNING u.target_id, u.usage_date
), put AS (
    INSERT INTO session_usage (target_id, session_id, model, usage_date, input_tokens, output_tokens,
                               cache_read_tokens, cache_write_tokens, cost_usd, unpriced_requests, request_count)
    SELECT f.* FROM fresh f
    ON CONFLICT (target_id, session_id, model, usage_date) DO UPDATE SET
        input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
        cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
        cost_usd = excluded.cost_usd, unpriced_requests = excluded.unpriced_requests,
        request_count = excluded.request_count
    RETURNING target_id, usage_date
)
SELECT target_id, usage_date AS day FROM gone UNION SELECT target_id, usage_date FROM put;

-- name: session_totals
-- The sessions' own columns, from their sums.
UPDATE harness_sessions s
SET input_tokens = u.input_tokens, output_tokens = u.output_tokens, cache_read_tokens = u.cache_read_tokens,
    cache_write_tokens = u.cache_write_tokens, cost_usd = u.cost_usd, unpriced_requests = u.unpriced_requests,
    request_count = u.request_count, cost_gap_usd = s.reported_cost_usd - u.cost_usd,
    cache_hit_rate = u.cache_read_tokens::double precision
                     / nullif(u.input_tokens + u.cache_read_tokens + u.cache_write_tokens, 0),
    updated_at = now()
FROM (SELECT r.target_id, r.session_id, coalesce(sum(d.input_tokens), 0)::bigint AS input_tokens,
             coalesce(sum(d.output_tokens), 0)::bigint AS output_tokens,
             coalesce(sum(d.cache_read_tokens), 0)::bigint AS cache_read_tokens,
             coalesce(sum(d.cache_write_tokens), 0)::bigint AS cache_write_tokens,
             coalesce(sum(d.cost_usd), 0) AS cost_usd,
             coalesce(sum(d.unpriced_requests), 0)::integer AS unpriced_requests,
             coalesce(sum(d.request_count), 0)::integer AS request_count
      FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
      LEFT JOIN session_usage d ON d.target_id = r.target_id AND d.session_id = r.session_id
      GROUP BY r.target_id, r.session_id) AS u
WHERE s.target_id = u.target_id AND s.id = u.session_id;

-- name: main_models
-- The model with which each session used most tokens.
SELECT DISTINCT ON (u.target_id, u.session_id) u.target_id, u.session_id, u.model
FROM (SELECT r.target_id, r.session_id, d.model,
             sum(d.input_tokens + d.output_tokens + d.cache_read_tokens + d.cache_write_tokens) AS tokens
      FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
      JOIN session_usage d ON d.target_id = r.target_id AND d.session_id = r.session_id
      GROUP BY r.target_id, r.session_id, d.model) AS u
ORDER BY u.target_id, u.session_id, u.tokens DESC, u.model;

-- name: put_models
-- What an imported session's model is: nobody asked for one, so it is what was used.
UPDATE harness_sessions s SET model = r.family, model_used = r.model
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid, model text, family text)
WHERE s.target_id = r.target_id AND s.id = r.session_id AND s.origin = 'import';

-- name: session_retries
-- How often the agents of imported sessions tried again.
UPDATE harness_sessions s
SET retry_count = (SELECT count(*) FROM harness_errors e WHERE e.target_id = s.target_id AND e.session_id = s.id
                   AND e.context->>'origin' = 'retry')
FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid)
WHERE s.target_id = r.target_id AND s.id = r.session_id AND s.origin = 'import';

-- name: model_usage
-- Tokens and cost of targets by model on some of their days.
WITH days AS (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, day date)
), fresh AS (
    SELECT u.target_id, u.model, u.usage_date, sum(u.input_tokens)::bigint AS input_tokens,
           sum(u.output_tokens)::bigint AS output_tokens, sum(u.cache_read_tokens)::bigint AS cache_read_tokens,
           sum(u.cache_write_tokens)::bigint AS cache_write_tokens,
           sum(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens)::bigint AS total_tokens,
           sum(u.cost_usd) AS cost_usd, sum(u.request_count)::integer AS request_count,
           count(*)::integer AS session_count, sum(u.unpriced_requests)::integer AS unpriced_requests
    FROM days d JOIN session_usage u ON u.target_id = d.target_id AND u.usage_date = d.day
    GROUP BY u.target_id, u.model, u.usage_date
), gone AS (
    DELETE FROM model_usage m USING days d
    WHERE m.target_id = d.target_id AND m.usage_date = d.day
      AND NOT EXISTS (SELECT FROM fresh f
                      WHERE (f.target_id, f.model, f.usage_date) = (m.target_id, m.model, m.usage_date))
)
INSERT INTO model_usage (target_id, model, usage_date, input_tokens, output_tokens, cache_read_tokens,
                         cache_write_tokens, total_tokens, cost_usd, request_count, session_count,
                         unpriced_requests)
SELECT f.* FROM fresh f
ON CONFLICT (target_id, model, usage_date) DO UPDATE SET
    input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
    total_tokens = excluded.total_tokens, cost_usd = excluded.cost_usd, request_count = excluded.request_count,
    session_count = excluded.session_count, unpriced_requests = excluded.unpriced_requests;

-- name: targets_worked
-- When targets were last worked, and with what model, now that sessions of theirs are known.
UPDATE targets t SET last_session_at = l.started_at, last_model = l.model, updated_at = now()
FROM unnest(%(ids)s::uuid[]) AS r (target_id)
CROSS JOIN LATERAL (SELECT s.started_at, s.model FROM harness_sessions s WHERE s.target_id = r.target_id
                    ORDER BY s.started_at DESC, s.id DESC LIMIT 1) AS l
WHERE t.id = r.target_id AND (t.last_session_at, t.last_model) IS DISTINCT FROM (l.started_at, l.model);

-- name: files_to_tell
-- The files and stores of an imported session on this host, where one of them holds more than its timeline tells.
SELECT f.target_id, s.agent, s.agent_session_id, f.name, f.read_offset, f.told_offset
FROM harness_sessions s
JOIN ledger_files f ON f.target_id = s.target_id AND f.session_id = s.id AND f.host = %(host)s
     AND f.seen IS NOT NULL
WHERE s.id = %(session_id)s AND s.origin = 'import'
  AND EXISTS (SELECT FROM ledger_files n WHERE n.target_id = s.target_id AND n.session_id = s.id AND n.host = f.host
              AND n.seen IS NOT NULL AND n.read_offset IS DISTINCT FROM n.told_offset)
ORDER BY f.name;

-- name: drop_events
-- A timeline that is to be built anew.
DELETE FROM session_events WHERE target_id = %(target_id)s AND session_id = %(session_id)s;

-- name: put_events
-- Rows of an imported session's timeline. The transaction id is one before any: who follows the live stream is not told
-- of what happened long ago.
INSERT INTO session_events (target_id, session_id, seq, kind, occurred_at, tool_name, tool_use_id, subagent,
                            duration_ms, outcome, text, txid)
SELECT %(target_id)s, %(session_id)s, r.seq, r.kind, r.occurred_at, r.tool_name, r.tool_use_id, r.subagent,
       r.duration_ms, r.outcome, r.text, '0'::xid8
FROM json_to_recordset(%(rows)s::json) AS r (seq bigint, kind text, occurred_at timestamptz, tool_name text,
    tool_use_id text, subagent text, duration_ms bigint, outcome text, text text);

-- name: put_told
-- Up to where the timeline tells the files.
UPDATE ledger_files f SET told_offset = r."offset"
FROM json_to_recordset(%(rows)s::json) AS r (name text, "offset" bigint)
WHERE f.target_id = %(target_id)s AND f.session_id = %(session_id)s AND f.host = %(host)s AND f.name = r.name;

-- name: audited_requests
-- The ledger rows of a session, or of a day.
SELECT d.request_key, d.session_id, d.requested_at, d.model, d.input_tokens, d.output_tokens, d.cache_read_tokens,
       d.cache_write_tokens, d.cache_write_5m_tokens, d.cache_write_1h_tokens, d.reasoning_tokens, d.web_searches,
       d.cost_usd, d.price_source, d.is_request
FROM token_usage_details d
WHERE CASE WHEN %(day)s::date IS NULL THEN d.session_id = %(session_id)s::uuid
           ELSE d.requested_at >= %(day)s::date::timestamptz
                AND d.requested_at < (%(day)s::date + 1)::timestamptz END
ORDER BY d.requested_at, d.request_key;

-- name: audited_files
-- The files behind them: those of the session, or of all sessions with requests on the day.
SELECT f.name AS file, f.host, f.session_id, s.agent, s.agent_session_id, f.seen IS NOT NULL AS imported, f.read_offset,
       f.lines_read, f.lines_left_out
FROM harness_sessions s JOIN ledger_files f ON f.target_id = s.target_id AND f.session_id = s.id
WHERE CASE WHEN %(day)s::date IS NULL THEN s.id = %(session_id)s::uuid
           ELSE EXISTS (SELECT FROM session_usage u WHERE u.target_id = s.target_id AND u.session_id = s.id
                        AND u.usage_date = %(day)s::date) END
ORDER BY f.host, f.name;

-- name: audited_left_out
-- The lines of those files that could not be read.
SELECT l.name AS file, l.line_offset AS "offset", l.length, l.reason, l.host
FROM harness_sessions s JOIN left_out_lines l ON l.target_id = s.target_id AND l.session_id = s.id
WHERE CASE WHEN %(day)s::date IS NULL THEN s.id = %(session_id)s::uuid
           ELSE EXISTS (SELECT FROM session_usage u WHERE u.target_id = s.target_id AND u.session_id = s.id
                        AND u.usage_date = %(day)s::date) END
ORDER BY l.host, l.name, l.line_offset;

-- name: branches_of
-- On which branches a target's imported sessions were, and in what time.
SELECT t.path, s.branch, min(s.started_at) AS since, max(s.finished_at) AS until
FROM harness_sessions s JOIN targets t ON t.id = s.target_id
WHERE s.target_id = %(target_id)s AND s.origin = 'import' AND s.branch IS NOT NULL
GROUP BY t.path, s.branch
ORDER BY s.branch;

-- name: put_commits
-- Commits, each with the session that began last among the imported ones that were at work on its branch when it was
-- made. One that is known as another session's stays so, unless that was found in the same way.
INSERT INTO harness_commits AS c (target_id, sha, session_id, message, author, files_changed, additions, deletions,
                                  branch, committed_at)
SELECT %(target_id)s, r.sha, s.id, r.message, r.author, r.files_changed, r.additions, r.deletions, r.branch,
       r.committed_at
FROM json_to_recordset(%(rows)s::json) AS r (sha text, message text, author text, files_changed integer,
    additions integer, deletions integer, branch text, committed_at timestamptz)
CROSS JOIN LATERAL (
    SELECT h.id FROM harness_sessions h
    WHERE h.target_id = %(target_id)s AND h.origin = 'import' AND h.branch = r.branch
      AND r.committed_at BETWEEN date_trunc('second', h.started_at) AND h.finished_at
    ORDER BY h.started_at DESC, h.id LIMIT 1) AS s
ON CONFLICT (target_id, sha) DO UPDATE SET session_id = excluded.session_id, branch = excluded.branch
WHERE EXISTS (SELECT FROM harness_sessions k
              WHERE k.target_id = c.target_id AND k.id = c.session_id AND k.origin = 'import');

-- name: count_commits
-- How many commits each imported session of a target made.
UPDATE harness_sessions s
SET commits_made = (SELECT count(*) FROM harness_commits c WHERE c.target_id = s.target_id AND c.session_id = s.id)
WHERE s.target_id = %(target_id)s AND s.origin = 'import';
