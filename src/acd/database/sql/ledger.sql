-- Writing: what one batch of lines amounts to. All of a batch and the new offsets go into one transaction.

-- name: put_target
-- The target of a session or journal, from the fact that names it. What the queue file says wins over what an old
-- journal says: an existing row keeps everything but its name and path, and those only until the queue knows it.
INSERT INTO targets (id, repo_id, name, path, priority, complexity, enabled, focus, prompt, prd, feature_list,
                     until_complete, serial_group, tags, verify_command, agent, max_sessions, session_delay_s,
                     allow_tools, deny_tools, depends_on, budget)
VALUES (%(id)s, %(repo_id)s, %(name)s, %(path)s, %(priority)s, %(complexity)s, %(enabled)s, %(focus)s, %(prompt)s,
        %(prd)s, %(feature_list)s, %(until_complete)s, %(serial_group)s, %(tags)s, %(verify_command)s, %(agent)s,
        %(max_sessions)s, %(session_delay_s)s, %(allow_tools)s, %(deny_tools)s, %(depends_on)s, %(budget)s)
ON CONFLICT DO NOTHING;

-- name: rename_target
-- A program that names a target again (`ensure_target`) may give it another name or path.
UPDATE targets SET name = %(name)s, path = %(path)s, updated_at = now()
WHERE id = %(id)s AND (name, path) IS DISTINCT FROM (%(name)s, %(path)s);

-- name: lock_targets
-- Roll-ups are recomputed under a lock on their target, taken in target order: no two writers see half of each other.
SELECT id FROM targets WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: files_of
-- How far each file of a session has been read on this host.
SELECT name, inode::bigint AS inode, size, head_sha256, head_length, read_offset, lines_read, lines_left_out
FROM ledger_files
WHERE target_id = %(target_id)s AND session_id = %(session_id)s AND host = %(host)s;

-- name: put_files
-- The new offsets; each only when its file still stands where this batch began (fewer rows than files: another writer
-- was faster). A file without a row stood at 0.
INSERT INTO ledger_files AS f (target_id, session_id, host, name, inode, size, head_sha256, head_length,
                               read_offset, lines_read, lines_left_out)
SELECT %(target_id)s, %(session_id)s, %(host)s, r.name, r.inode, r.size, r.head_sha256, r.head_length,
       r.read_offset, r.lines_read, r.lines_left_out
FROM json_to_recordset(%(rows)s::json) AS r (name text, inode numeric, size bigint, head_sha256 text,
    head_length integer, read_offset bigint, lines_read bigint, lines_left_out bigint)
ON CONFLICT (target_id, session_id, host, name) DO UPDATE SET
    inode = excluded.inode, size = excluded.size, head_sha256 = excluded.head_sha256,
    head_length = excluded.head_length, read_offset = excluded.read_offset,
    lines_read = f.lines_read + excluded.lines_read,
    lines_left_out = f.lines_left_out + excluded.lines_left_out, updated_at = now()
WHERE f.read_offset = (SELECT r.from_offset FROM json_to_recordset(%(rows)s::json) AS r (name text, from_offset bigint)
                       WHERE r.name = f.name);

-- name: put_left_out
-- Lines that could not become rows.
INSERT INTO left_out_lines (target_id, session_id, host, name, line_offset, length, reason)
SELECT %(target_id)s, %(session_id)s, %(host)s, r.name, r.line_offset, r.length, r.reason
FROM json_to_recordset(%(rows)s::json) AS r (name text, line_offset bigint, length bigint, reason text)
ON CONFLICT DO NOTHING;

-- name: start_session
-- A session's row, from its first fact. A number that another session of the target already has gives way to the next
-- free one: nothing is lost, and no number stands twice. Returns a row only when the session is new.
INSERT INTO harness_sessions (target_id, id, session_number, session_type, origin, agent, agent_session_id,
                              agent_version, model, status, started_at, host, branch, head_before, prompt_sha256,
                              billing, account)
SELECT %(target_id)s, %(id)s,
       CASE WHEN EXISTS (SELECT FROM harness_sessions s
                         WHERE s.target_id = %(target_id)s AND s.session_number = %(session_number)s)
            THEN (SELECT max(s.session_number) + 1 FROM harness_sessions s WHERE s.target_id = %(target_id)s)
            ELSE %(session_number)s END,
       %(session_type)s, %(origin)s, %(agent)s, %(agent_session_id)s, %(agent_version)s, %(model)s, 'running',
       %(started_at)s, %(host)s, %(branch)s, %(head_before)s, %(prompt_sha256)s, %(billing)s, %(account)s
ON CONFLICT (target_id, id) DO NOTHING
RETURNING session_number;

-- name: session_state
-- When a session began and last told something (the clock of lines that carry no time), and whether it has ended.
SELECT started_at, last_event_at, status <> 'running' AND presumed_at IS NULL AS ended FROM harness_sessions
WHERE target_id = %(target_id)s AND id = %(session_id)s;

-- name: agent_started
-- What the agent said of itself. How its account is billed is the settings' word first.
UPDATE harness_sessions
SET model_used = coalesce(model_used, %(model)s), agent_version = coalesce(%(agent_version)s, agent_version),
    billing = coalesce(billing, %(billing)s)
WHERE target_id = %(target_id)s AND id = %(id)s;

-- name: session_seen
-- The newest time at which the session told something.
UPDATE harness_sessions SET last_event_at = greatest(last_event_at, %(at)s)
WHERE target_id = %(target_id)s AND id = %(id)s;

-- name: end_session
-- A session ends once: a second ending (there is none in an orderly journal) changes nothing. One that only showed as
-- interrupted, because its machine gave no sign of life, had not ended.
UPDATE harness_sessions
SET status = %(status)s, finished_at = %(finished_at)s, exit_code = %(exit_code)s,
    duration_ms = coalesce(%(duration_ms)s,
                           greatest(0, (extract(epoch FROM (%(finished_at)s - started_at)) * 1000)::bigint)),
    error_type = %(error_type)s, error_message = %(error_message)s,
    features_before = %(features_before)s, features_after = %(features_after)s,
    features_completed = %(features_completed)s, commits_made = coalesce(%(commits_made)s, commits_made),
    branch = coalesce(%(branch)s, branch), head_after = %(head_after)s, presumed_at = NULL, updated_at = now()
WHERE target_id = %(target_id)s AND id = %(id)s AND (status = 'running' OR presumed_at IS NOT NULL);

-- name: owners_of
-- Which of these requests are known, and to whom they belong so far.
SELECT request_key, target_id, session_id FROM request_owners WHERE request_key = ANY(%(keys)s::text[]);

-- name: hold_sessions
-- Keeps sessions from being removed before the transaction ends, as the check of a foreign key does for each row that is
-- written; whether all of them are there.
SELECT count(*) = %(expected)s AS all_there
FROM (SELECT FROM harness_sessions
      WHERE (target_id, id) IN (SELECT target_id, session_id
                                FROM json_to_recordset(%(rows)s::json) AS r (target_id uuid, session_id uuid))
      ORDER BY target_id, id FOR KEY SHARE) AS held;

-- name: check_keys_no_more
-- From here on the transaction checks no foreign key; whether that is so. Only where we may say so (the embedded
-- server, a superuser, or who was granted it).
SELECT set_config('session_replication_role', 'replica', true) = 'replica' AS done
WHERE has_parameter_privilege('session_replication_role', 'SET')
  AND current_setting('session_replication_role') = 'origin';

-- name: check_keys_again
-- From here on they are checked again.
SELECT set_config('session_replication_role', 'origin', true) AS done;

-- name: owners_elsewhere
-- Which of these requests belong to another session so far, and to which.
SELECT request_key, target_id, session_id FROM request_owners
WHERE request_key = ANY(%(keys)s) AND session_id <> %(session_id)s;

-- name: claim_requests
-- A request belongs to the session with its earliest line (ties: the smaller id), whatever the order of reading.
-- Returns those that were known and change hands (or only their time), with whom they belonged to as this statement
-- began: nobody means that another writer claimed them in the meantime. A row that was updated carries an xmax.
WITH claimed AS (
    INSERT INTO request_owners AS o (request_key, target_id, session_id, first_seen_at)
    SELECT r.request_key, %(target_id)s, %(session_id)s, r.requested_at
    FROM json_to_recordset(%(rows)s::json) AS r (request_key text, requested_at timestamptz)
    ON CONFLICT (request_key) DO UPDATE SET
        target_id = excluded.target_id, session_id = excluded.session_id, first_seen_at = excluded.first_seen_at
    WHERE (excluded.first_seen_at, excluded.session_id) < (o.first_seen_at, o.session_id)
    RETURNING request_key, xmax <> 0 AS was_known
)
SELECT c.request_key, o.target_id, o.session_id
FROM claimed c LEFT JOIN request_owners o USING (request_key)
WHERE c.was_known;

-- name: move_requests
-- Rows of requests that have changed hands go to their new owner with all they know. Whoever had them only repeats them.
WITH moved AS (
    DELETE FROM token_usage_details d USING request_owners o
    WHERE d.request_key = ANY(%(keys)s) AND o.request_key = d.request_key
      AND (d.target_id, d.session_id) <> (o.target_id, o.session_id)
    RETURNING d.*, o.target_id AS new_target_id, o.session_id AS new_session_id
), copies AS (
    UPDATE harness_sessions s SET copies = true
    FROM (SELECT DISTINCT target_id, session_id FROM moved) AS m
    WHERE s.target_id = m.target_id AND s.id = m.session_id AND NOT s.copies
), rests AS (
    DELETE FROM token_usage_details d
    USING (SELECT DISTINCT target_id, session_id FROM moved) AS m, harness_sessions s
    WHERE d.target_id = m.target_id AND d.session_id = m.session_id AND NOT d.is_request
      AND s.target_id = m.target_id AND s.id = m.session_id AND s.origin = 'import'
)
INSERT INTO token_usage_details (target_id, request_key, session_id, model, request_ids, is_request, input_tokens,
    output_tokens, cache_read_tokens, cache_write_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    reasoning_tokens, web_searches, cost_usd, price_source, price_date, tools, subagent, requested_at, listed_at, price_terms)
SELECT new_target_id, request_key, new_session_id, model, request_ids, is_request, input_tokens,
    output_tokens, cache_read_tokens, cache_write_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    reasoning_tokens, web_searches, cost_usd, price_source, price_date, tools, subagent, requested_at, listed_at, price_terms
FROM moved;

-- name: put_usage
-- One row a request, whoever its owner is: the snapshot with the greatest total wins, and what each snapshot adds
-- beside the figures (ids, tools, earliest time) is kept. The order in which snapshots are read makes no difference.
INSERT INTO token_usage_details AS d (target_id, request_key, session_id, model, request_ids, input_tokens,
    output_tokens, cache_read_tokens, cache_write_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    reasoning_tokens, web_searches, cost_usd, price_source, price_date, tools, subagent, requested_at,
    price_terms)
SELECT o.target_id, r.request_key, o.session_id, r.model, r.request_ids, r.input_tokens, r.output_tokens,
    r.cache_read_tokens, r.cache_write_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens,
    r.reasoning_tokens, r.web_searches, r.cost_usd, r.price_source, r.price_date, r.tools, r.subagent, r.requested_at,
    r.price_terms
FROM json_to_recordset(%(rows)s::json) AS r (request_key text, model text, request_ids text[], input_tokens bigint,
    output_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint, cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint, reasoning_tokens bigint, web_searches bigint, cost_usd numeric, price_source text,
    price_date date, tools text[], subagent text, requested_at timestamptz, price_terms text)
JOIN request_owners o USING (request_key)
ON CONFLICT (target_id, request_key) DO UPDATE SET
    (model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_5m_tokens,
     cache_write_1h_tokens, reasoning_tokens, web_searches, cost_usd, price_source, price_date, price_terms) =
    (SELECT w.* FROM (VALUES
        (d.input_tokens + d.output_tokens + d.cache_read_tokens + d.cache_write_tokens, d.output_tokens, 1,
         d.model, d.input_tokens, d.output_tokens, d.cache_read_tokens, d.cache_write_tokens, d.cache_write_5m_tokens,
         d.cache_write_1h_tokens, d.reasoning_tokens, d.web_searches, d.cost_usd, d.price_source, d.price_date,
         d.price_terms),
        (excluded.input_tokens + excluded.output_tokens + excluded.cache_read_tokens + excluded.cache_write_tokens,
         excluded.output_tokens, 0,
         excluded.model, excluded.input_tokens, excluded.output_tokens, excluded.cache_read_tokens,
         excluded.cache_write_tokens, excluded.cache_write_5m_tokens, excluded.cache_write_1h_tokens,
         excluded.reasoning_tokens, excluded.web_searches, excluded.cost_usd, excluded.price_source,
         excluded.price_date, excluded.price_terms)
     ) AS s (total, output, known, model, i, o, cr, cw, cw5, cw1, rt, ws, c, ps, pd, pt),
     LATERAL (SELECT s.model, s.i, s.o, s.cr, s.cw, s.cw5, s.cw1, s.rt, s.ws, s.c, s.ps, s.pd, s.pt) AS w
     ORDER BY s.total DESC, s.output DESC, s.model COLLATE "C" DESC, s.i DESC, s.cr DESC, s.cw5 DESC, s.cw1 DESC,
              s.rt DESC, s.ws DESC, s.pd, s.known DESC LIMIT 1),
    request_ids = ARRAY(SELECT DISTINCT t COLLATE "C" FROM unnest(d.request_ids || excluded.request_ids) AS u (t)
                        ORDER BY 1),
    tools = CASE WHEN excluded.tools @> d.tools AND cardinality(excluded.tools) > cardinality(d.tools)
                 THEN excluded.tools
                 ELSE d.tools || ARRAY(SELECT t FROM unnest(excluded.tools) WITH ORDINALITY AS u (t, n)
                                       WHERE t <> ALL (d.tools) ORDER BY n) END,
    subagent = coalesce(d.subagent, excluded.subagent),
    requested_at = least(d.requested_at, excluded.requested_at);

-- name: places_taken
-- Places in a session's timeline, within a stretch of it, that have their rows.
SELECT seq FROM session_events
WHERE target_id = %(target_id)s AND session_id = %(session_id)s AND seq BETWEEN %(first)s AND %(last)s;

-- name: put_events
-- Rows of the timeline.
INSERT INTO session_events (target_id, session_id, seq, kind, occurred_at, tool_name, tool_use_id, subagent,
                            duration_ms, outcome, text)
SELECT %(target_id)s, %(session_id)s, r.seq, r.kind, r.occurred_at, r.tool_name, r.tool_use_id, r.subagent,
       r.duration_ms, r.outcome, r.text
FROM json_to_recordset(%(rows)s::json) AS r (seq bigint, kind text, occurred_at timestamptz, tool_name text,
    tool_use_id text, subagent text, duration_ms bigint, outcome text, text text)
ON CONFLICT DO NOTHING;

-- name: finish_tools
-- Results of tools whose call was read in an earlier batch: their name and how long they took.
UPDATE session_events e
SET tool_name = u.tool_name,
    duration_ms = greatest(0, floor(extract(epoch FROM (e.occurred_at - u.occurred_at)) * 1000)::bigint)
FROM session_events u
WHERE e.target_id = %(target_id)s AND e.session_id = %(session_id)s AND e.seq = ANY(%(seqs)s::bigint[])
  AND u.target_id = e.target_id AND u.session_id = e.session_id AND u.kind = 'tool_used'
  AND u.tool_use_id = e.tool_use_id;

-- name: put_errors
-- Errors, one a line that tells one.
INSERT INTO harness_errors (target_id, session_id, id, source, source_offset, error_type, error_code, message,
                            stack_trace, context, attempt, retryable, resolved, resolved_at, occurred_at)
SELECT %(target_id)s, %(session_id)s, r.id, r.source, r.source_offset, r.error_type, r.error_code, r.message,
       r.stack_trace, r.context, r.attempt, r.retryable, r.resolved, CASE WHEN r.resolved THEN r.occurred_at END,
       r.occurred_at
FROM json_to_recordset(%(rows)s::json) AS r (id uuid, source text, source_offset bigint, error_type text,
    error_code text, message text, stack_trace text, context jsonb, attempt integer, retryable boolean,
    resolved boolean, occurred_at timestamptz)
ON CONFLICT DO NOTHING;

-- name: name_denials
-- Which call a denial was about, `Bash(git push): …`: the call may have been read in an earlier batch.
UPDATE harness_errors e
SET message = format('%%s(%%s): %%s', u.tool_name, left(u.text, 200), e.message),
    context = e.context || jsonb_build_object('tool', u.tool_name, 'input', u.text)
FROM session_events u
WHERE e.target_id = %(target_id)s AND e.id = ANY(%(ids)s::uuid[]) AND NOT e.context ? 'tool'
  AND u.target_id = e.target_id AND u.session_id = e.session_id AND u.kind = 'tool_used'
  AND u.tool_use_id = e.context ->> 'tool_use_id';

-- name: put_reports
-- The agent's own accounts, kept as they came.
INSERT INTO session_reports (target_id, session_id, source, source_offset, final, models, own, duration_ms,
                             api_duration_ms, turns, error_type, error_message, reported_at)
SELECT %(target_id)s, %(session_id)s, r.source, r.source_offset, r.final, r.models, r.own, r.duration_ms,
       r.api_duration_ms, r.turns, r.error_type, r.error_message, r.reported_at
FROM json_to_recordset(%(rows)s::json) AS r (source text, source_offset bigint, final boolean, models jsonb,
    own jsonb, duration_ms bigint, api_duration_ms bigint, turns integer, error_type text, error_message text,
    reported_at timestamptz)
ON CONFLICT DO NOTHING;

-- name: reports_of
-- All reports of a session, where they are about its own requests alone.
SELECT source, final, models, own, api_duration_ms, turns, reported_at FROM session_reports
WHERE target_id = %(target_id)s AND session_id = %(session_id)s
  AND NOT (SELECT s.copies AND s.origin = 'import' FROM harness_sessions s
           WHERE s.target_id = %(target_id)s AND s.id = %(session_id)s)
ORDER BY source, source_offset;

-- name: spent_by_model
-- Sums of a session's requests by model, to set against its reports.
SELECT model, sum(input_tokens)::bigint AS input_tokens, sum(output_tokens)::bigint AS output_tokens,
       sum(cache_read_tokens)::bigint AS cache_read_tokens, sum(cache_write_tokens)::bigint AS cache_write_tokens,
       sum(cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
       sum(cache_write_1h_tokens)::bigint AS cache_write_1h_tokens,
       sum(reasoning_tokens)::bigint AS reasoning_tokens, sum(web_searches)::bigint AS web_searches,
       coalesce(sum(cost_usd), 0) AS cost_usd, (count(*) FILTER (WHERE cost_usd IS NULL))::integer AS unpriced,
       max(requested_at) AS last_requested_at
FROM token_usage_details
WHERE target_id = %(target_id)s AND session_id = %(session_id)s AND is_request
GROUP BY model;

-- name: put_rests
-- What the session's reports hold beyond its requests: one row a model.
INSERT INTO token_usage_details (target_id, request_key, session_id, model, is_request, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens,
    web_searches, cost_usd, price_source, requested_at)
SELECT %(target_id)s, r.request_key, %(session_id)s, r.model, false, r.input_tokens, r.output_tokens,
    r.cache_read_tokens, r.cache_write_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens, r.reasoning_tokens,
    r.web_searches, r.cost_usd, CASE WHEN r.cost_usd IS NOT NULL THEN 'reported' END, r.requested_at
FROM json_to_recordset(%(rows)s::json) AS r (request_key text, model text, input_tokens bigint, output_tokens bigint,
    cache_read_tokens bigint, cache_write_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint,
    reasoning_tokens bigint, web_searches bigint, cost_usd numeric, requested_at timestamptz)
ON CONFLICT (target_id, request_key) DO UPDATE SET
    input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
    cache_write_5m_tokens = excluded.cache_write_5m_tokens, cache_write_1h_tokens = excluded.cache_write_1h_tokens,
    reasoning_tokens = excluded.reasoning_tokens, web_searches = excluded.web_searches, cost_usd = excluded.cost_usd,
    price_source = excluded.price_source, requested_at = excluded.requested_at;

-- name: drop_other_rests
-- Rows for rests that are no more, because the requests have been read since.
DELETE FROM token_usage_details
WHERE target_id = %(target_id)s AND session_id = %(session_id)s AND NOT is_request
  AND request_key <> ALL (%(keys)s);

-- name: put_reported
-- What the agent says of the whole session.
UPDATE harness_sessions
SET reported_cost_usd = %(reported_cost_usd)s, turn_count = %(turn_count)s, api_duration_ms = %(api_duration_ms)s
WHERE target_id = %(target_id)s AND id = %(session_id)s;

-- name: put_commits
-- Commits made in the session; a commit that an earlier session made stays that session's, unless an import only took it
-- to be made in one that was there at the time: that one has fewer from now on.
WITH r AS (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS r (sha text, message text, author text, files_changed integer,
        additions integer, deletions integer, branch text, committed_at timestamptz)
), recounted AS (
    UPDATE harness_sessions s
    SET commits_made = (SELECT count(*) FROM harness_commits k WHERE k.target_id = s.target_id AND k.session_id = s.id
                        AND k.sha NOT IN (SELECT r.sha FROM r))
    WHERE s.target_id = %(target_id)s AND s.origin = 'import' AND s.id <> %(session_id)s
      AND s.id IN (SELECT k.session_id FROM harness_commits k JOIN r USING (sha) WHERE k.target_id = %(target_id)s)
)
INSERT INTO harness_commits AS c (target_id, sha, session_id, message, author, files_changed, additions, deletions,
                                  branch, committed_at)
SELECT %(target_id)s, r.sha, %(session_id)s, r.message, r.author, r.files_changed, r.additions, r.deletions,
       r.branch, r.committed_at
FROM r
ON CONFLICT (target_id, sha) DO UPDATE SET session_id = excluded.session_id
WHERE EXISTS (SELECT FROM harness_sessions s
              WHERE s.target_id = c.target_id AND s.id = c.session_id AND s.origin = 'import');

-- name: put_feature_changes
-- Each change of each feature, from the fact that tells it.
INSERT INTO feature_changes (target_id, source, source_offset, feature_key, session_id, change, status, commit,
                             detail, evidence, changed_at)
SELECT %(target_id)s, r.source, r.source_offset, r.feature_key, %(session_id)s, r.change, r.status, r.commit,
       r.detail, r.evidence, r.changed_at
FROM json_to_recordset(%(rows)s::json) AS r (source text, source_offset bigint, feature_key text, change text,
    status text, commit text, detail text, evidence jsonb, changed_at timestamptz)
ON CONFLICT DO NOTHING;

-- name: judge_features
-- What the harness found out itself about features in a session: the newest judgement of each counts, once. It may be
-- read before the list that it is about: whether a feature passes is the list's word, that it was seen is this one's.
-- Work that could not be merged (unmerged) takes back what was found out on it.
UPDATE target_features f
SET verified_at = CASE WHEN c.change IN ('passing', 'confirmed') THEN c.changed_at END,
    evidence = c.evidence, judged_at = c.changed_at,
    status = CASE WHEN c.change IN ('passing', 'confirmed') OR f.status = 'removed' THEN f.status ELSE c.status END
FROM (SELECT DISTINCT ON (feature_key) feature_key, change, status, evidence, changed_at
      FROM feature_changes
      WHERE target_id = %(target_id)s AND session_id = %(session_id)s
        AND (evidence IS NOT NULL OR change = 'unmerged')
      ORDER BY feature_key, changed_at DESC, source_offset DESC) AS c
WHERE f.target_id = %(target_id)s AND f.feature_key = c.feature_key
  AND (f.judged_at IS NULL OR f.judged_at < c.changed_at);

-- name: put_limits
-- Newest news of each limit of the account with which a session works.
INSERT INTO account_limits AS l (agent, account, limit_window, status, utilization, resets_at, seen_at)
SELECT DISTINCT ON (r.agent, r.limit_window) r.agent,
       coalesce((SELECT s.account FROM harness_sessions s
                 WHERE s.target_id = %(target_id)s AND s.id = %(session_id)s), ''),
       r.limit_window, r.status, r.utilization, r.resets_at, r.seen_at
FROM json_to_recordset(%(rows)s::json) AS r (agent text, limit_window text, status text,
    utilization double precision, resets_at timestamptz, seen_at timestamptz)
ORDER BY r.agent, r.limit_window, r.seen_at DESC
ON CONFLICT (target_id, agent, account, limit_window) DO UPDATE SET
    status = excluded.status, utilization = excluded.utilization, resets_at = excluded.resets_at,
    seen_at = excluded.seen_at
WHERE excluded.seen_at >= l.seen_at;

-- name: put_features
-- The whole feature list as it stood at a time. An older look than the newest known changes nothing. A feature is
-- implemented when it is first seen passing, by the session in which that happened. Once it does not pass, or says
-- something else, it is not verified any more.
WITH seen AS (
    SELECT r.*, (n - 1)::integer AS place
    FROM ROWS FROM (json_to_recordset(%(rows)s::json) AS (key text, name text, passes boolean, description text,
        category text, priority integer, steps jsonb, skipped boolean, content_sha256 text))
        WITH ORDINALITY AS r (key, name, passes, description, category, priority, steps, skipped, content_sha256, n)
    WHERE NOT EXISTS (SELECT FROM targets t WHERE t.id = %(target_id)s AND t.features_at > %(at)s)
), gone AS (
    UPDATE target_features f SET status = 'removed', passes = false, removed_at = %(at)s, verified_at = NULL
    WHERE f.target_id = %(target_id)s AND f.removed_at IS NULL
      AND NOT EXISTS (SELECT FROM targets t WHERE t.id = %(target_id)s AND t.features_at > %(at)s)
      AND f.feature_key <> ALL (ARRAY(SELECT s.key FROM seen s))
)
INSERT INTO target_features AS f (target_id, feature_key, name, description, category, priority, steps, status,
    passes, implemented_at, session_id, position, first_seen_at, content_sha256)
SELECT %(target_id)s, s.key, s.name, coalesce(s.description, ''), s.category, s.priority, coalesce(s.steps, '[]'),
    CASE WHEN s.passes THEN 'passing'
         WHEN s.skipped OR EXISTS (SELECT FROM feature_skips k
                                   WHERE k.target_id = %(target_id)s AND k.feature_key = s.key) THEN 'skipped'
         ELSE 'pending' END, s.passes,
    CASE WHEN s.passes THEN %(at)s::timestamptz END, CASE WHEN s.passes THEN %(session_id)s::uuid END,
    s.place, %(at)s, coalesce(s.content_sha256, '')
FROM seen s
ON CONFLICT (target_id, feature_key) DO UPDATE SET
    name = excluded.name, description = excluded.description, category = excluded.category,
    priority = excluded.priority, steps = excluded.steps, position = excluded.position,
    content_sha256 = excluded.content_sha256, removed_at = NULL, passes = excluded.passes,
    status = CASE WHEN excluded.passes THEN 'passing'
                  WHEN excluded.status = 'skipped' THEN 'skipped'
                  WHEN f.passes OR f.status = 'regressed' THEN 'regressed'
                  WHEN f.status IN ('rejected', 'claimed', 'blocked') THEN f.status
                  ELSE 'pending' END,
    verified_at = CASE WHEN excluded.passes AND f.content_sha256 = excluded.content_sha256 THEN f.verified_at END,
    evidence = CASE WHEN NOT excluded.passes
                      OR (f.verified_at IS NOT NULL AND f.content_sha256 = excluded.content_sha256)
                    THEN f.evidence END,
    implemented_at = coalesce(f.implemented_at, excluded.implemented_at),
    session_id = CASE WHEN excluded.passes AND NOT f.passes THEN coalesce(excluded.session_id, f.session_id)
                      ELSE f.session_id END;

-- name: count_features
-- The target's own totals, from its features; the newest look wins. A skipped feature is not one that is to be done.
UPDATE targets t
SET total_features = c.total, passing_features = c.passing, features_at = %(at)s, updated_at = now(),
    percent_complete = CASE WHEN c.total = 0 THEN 0 ELSE round(100.0 * c.passing / c.total, 2) END,
    status = CASE WHEN c.total > 0 AND c.passing = c.total AND t.status IN ('pending', 'active') THEN 'complete'
                  WHEN c.passing < c.total AND t.status = 'complete' THEN 'active'
                  ELSE t.status END,
    status_reason = CASE WHEN c.total > 0 AND c.passing = c.total AND t.status IN ('pending', 'active')
                         THEN 'all features pass'
                         WHEN c.passing < c.total AND t.status = 'complete' THEN NULL
                         ELSE t.status_reason END
FROM (SELECT count(*)::integer AS total, (count(*) FILTER (WHERE passes))::integer AS passing
      FROM target_features
      WHERE target_id = %(target_id)s AND removed_at IS NULL AND status <> 'skipped') AS c
WHERE t.id = %(target_id)s AND (t.features_at IS NULL OR t.features_at <= %(at)s);

-- name: put_daily_stats
-- Feature totals that another program told (`update_daily_stats`); it keeps no list of features with us.
UPDATE targets t
SET total_features = %(total)s, passing_features = c.passing, features_at = %(at)s, updated_at = now(),
    percent_complete = CASE WHEN %(total)s = 0 THEN 0 ELSE round(100.0 * c.passing / %(total)s, 2) END
FROM (SELECT least(%(total)s, coalesce(%(passing)s,
          (SELECT s.features_after FROM harness_sessions s
           WHERE s.target_id = %(target_id)s AND s.features_after IS NOT NULL
           ORDER BY s.started_at DESC, s.id DESC LIMIT 1),
          (SELECT passing_features FROM targets WHERE id = %(target_id)s)))::integer AS passing) AS c
WHERE t.id = %(target_id)s AND (t.features_at IS NULL OR t.features_at <= %(at)s);

-- name: target_worked
-- A session of the target began: it is active, and this is its newest one.
UPDATE targets
SET last_session_at = greatest(last_session_at, %(started_at)s),
    last_model = CASE WHEN last_session_at IS NULL OR last_session_at <= %(started_at)s THEN %(model)s
                      ELSE last_model END,
    status = CASE WHEN status = 'pending' THEN 'active' ELSE status END, updated_at = now()
WHERE id = %(target_id)s;

-- name: tell_readers
-- Wake who follows the live stream, when this is committed. What happened they read from the tables.
SELECT pg_notify('acd_events', '');
