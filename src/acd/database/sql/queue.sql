-- name: add_targets
-- Add the targets of a queue file that are not in the table yet; gives their ids. Only the names are stored here, the
-- rest follows with `update_targets`: an upsert on one unique key fails on the other when two syncs add the same row.
INSERT INTO targets (id, repo_id, name, path)
SELECT e.id, e.repo_id, e.name, e.path
FROM jsonb_to_recordset(%(targets)s) AS e (id uuid, repo_id text, name text, path text)
ORDER BY e.id
ON CONFLICT DO NOTHING
RETURNING id

-- name: update_targets
-- Bring the targets of a queue file to what it says, all in one statement; gives the ids of those that differed. Rows
-- are locked in the order of their ids, like every other lock on several targets. What a target has reached (features,
-- a status that its sessions gave it) stays; a status that only its entry gave it is renewed.
WITH locked AS MATERIALIZED (
    SELECT t.id FROM targets t
    WHERE t.id IN (SELECT e.id FROM jsonb_to_recordset(%(targets)s) AS e (id uuid))
    ORDER BY t.id
    FOR NO KEY UPDATE
)
UPDATE targets AS t SET
    name = e.name, path = e.path, priority = e.priority, complexity = e.complexity, enabled = e.enabled,
    focus = e.focus, prompt = e.prompt, prd = e.prd, feature_list = e.feature_list, until_complete = e.until_complete,
    serial_group = e.serial_group, tags = e.tags, verify_command = e.verify_command, agent = e.agent,
    max_sessions = e.max_sessions, session_delay_s = e.session_delay_s, clone = e.clone, queue_file = %(queue_file)s,
    allow_tools = e.allow_tools, deny_tools = e.deny_tools, depends_on = e.depends_on, budget = e.budget,
    status = CASE
        WHEN NOT e.enabled AND t.status <> 'complete' THEN 'paused'
        WHEN e.enabled AND NOT t.enabled AND t.status = 'paused' THEN 'pending'
        WHEN e.enabled AND t.status = 'complete' AND t.path <> e.path THEN 'pending'  -- another repository
        ELSE t.status END,
    status_reason = CASE
        WHEN NOT e.enabled AND t.status <> 'complete' THEN 'disabled in the queue file'
        WHEN e.enabled AND NOT t.enabled THEN NULL
        WHEN e.enabled AND t.status = 'complete' AND t.path <> e.path THEN NULL
        ELSE t.status_reason END,
    updated_at = now()
FROM locked, jsonb_to_recordset(%(targets)s) AS e (
    id uuid, name text, path text, priority integer, complexity text, enabled boolean, focus text, prompt text,
    prd text, feature_list text, until_complete boolean, serial_group text, tags text[], verify_command text,
    agent text, max_sessions integer, session_delay_s double precision, clone text,
    allow_tools text[], deny_tools text[], depends_on text[], budget jsonb)
WHERE t.id = e.id AND t.id = locked.id AND (
    t.name, t.path, t.priority, t.complexity, t.enabled, t.focus, t.prompt, t.prd, t.feature_list, t.until_complete,
    t.serial_group, t.tags, t.verify_command, t.agent, t.max_sessions, t.session_delay_s, t.clone, t.queue_file,
    t.allow_tools, t.deny_tools, t.depends_on, t.budget)
IS DISTINCT FROM (
    e.name, e.path, e.priority, e.complexity, e.enabled, e.focus, e.prompt, e.prd, e.feature_list, e.until_complete,
    e.serial_group, e.tags, e.verify_command, e.agent, e.max_sessions, e.session_delay_s, e.clone, %(queue_file)s::text,
    e.allow_tools, e.deny_tools, e.depends_on, e.budget)
RETURNING t.id

-- name: pause_vanished
-- Disable the targets that this queue file named last and names no more; they are never deleted. Targets of other
-- queue files on the same database, and those that other programs named, are none of its business.
UPDATE targets SET
    enabled = false,
    status = CASE WHEN status = 'complete' THEN status ELSE 'paused' END,
    status_reason = 'no longer in the queue file',
    updated_at = now()
WHERE id IN (
    SELECT id FROM targets
    WHERE enabled AND queue_file = %(queue_file)s AND NOT id = ANY(%(ids)s::uuid[])
    ORDER BY id
    FOR NO KEY UPDATE)
RETURNING id

-- name: sync_summary
-- How many targets there are after a sync, and how many of them are enabled and complete.
SELECT
    count(*) AS total,
    count(*) FILTER (WHERE enabled) AS enabled,
    count(*) FILTER (WHERE status = 'complete') AS complete
FROM targets

-- name: turn_state
-- Everything that decides a target's next step, a row a target: its entry and status, how many sessions it has had,
-- how the latest since a moment ended (newest first) and whether it got on (a feature that newly passes, a commit of
-- somebody else than the harness, a branch that stands elsewhere), until when a limit of its agent's account holds it
-- back, and which of the targets that it depends on are not complete.
SELECT
    t.repo_id, t.name, t.path, t.priority, t.complexity, t.enabled, t.focus, t.prompt, t.prd, t.feature_list,
    t.until_complete, t.serial_group, t.tags, t.verify_command, t.agent, t.max_sessions, t.session_delay_s,
    t.clone, t.allow_tools, t.deny_tools, t.depends_on, t.budget, t.status, t.status_reason, t.queue_file,
    coalesce(counted.used, 0) AS sessions_used,
    coalesce(counted.last_number, 0) AS last_number,
    begun.sessions AS sessions_since,
    begun.completed AS completed_since,
    counted.last_finished_at,
    coalesce(recent.sessions, '[]') AS recent,
    coalesce((
        SELECT jsonb_object_agg(r.feature_key, r.times) FROM (
            SELECT c.feature_key, count(*) AS times
            FROM feature_changes c
            JOIN target_features f ON f.target_id = c.target_id AND f.feature_key = c.feature_key
            WHERE c.target_id = t.id AND c.change = 'rejected' AND c.changed_at >= %(since)s
              AND NOT f.passes AND f.removed_at IS NULL
            GROUP BY c.feature_key) AS r), '{}') AS rejections,
    coalesce(limits.held, '[]') AS limits,
    coalesce(needed.targets, '[]') AS waits_for,
    ARRAY(SELECT k.feature_key FROM feature_skips k WHERE k.target_id = t.id ORDER BY k.feature_key) AS skipped
FROM targets t
-- Three looks at indexes instead of one at all sessions: there may be thousands of a target.
LEFT JOIN LATERAL (
    SELECT
        (SELECT count(*) FROM harness_sessions s WHERE s.target_id = t.id AND s.origin = 'harness') AS used,
        (SELECT max(s.session_number) FROM harness_sessions s WHERE s.target_id = t.id) AS last_number,
        (SELECT max(s.finished_at) FROM harness_sessions s
         WHERE s.target_id = t.id AND s.origin = 'harness') AS last_finished_at
) AS counted ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS sessions, count(*) FILTER (WHERE s.status = 'completed') AS completed
    FROM harness_sessions s
    WHERE s.target_id = t.id AND s.origin = 'harness' AND s.started_at >= %(since)s
) AS begun ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'id', r.id, 'status', r.status, 'error_type', r.error_type, 'error_message', r.error_message,
        'finished_at', r.finished_at, 'session_type', r.session_type, 'progressed', r.progressed,
        'passed', r.passed, 'rejected', r.rejected)
        ORDER BY r.started_at DESC, r.id DESC) AS sessions
    FROM (
        SELECT s.id, s.status, s.error_type, s.error_message, s.finished_at, s.started_at, s.session_type,
               coalesce(s.features_completed > 0
                        OR (s.session_type = 'initializer' AND EXISTS (
                            SELECT FROM target_features f WHERE f.target_id = s.target_id AND f.removed_at IS NULL))
                        OR s.commits_made > 0, false) AS progressed,  -- the agent's own: our corrections are not counted
               coalesce(s.features_completed > 0, false) AS passed,
               ARRAY(SELECT DISTINCT c.feature_key FROM feature_changes c
                     WHERE c.target_id = s.target_id AND c.session_id = s.id AND c.change = 'rejected') AS rejected
        FROM harness_sessions s
        WHERE s.target_id = t.id AND s.origin = 'harness' AND s.started_at >= %(since)s
        ORDER BY s.started_at DESC, s.id DESC
        LIMIT 100
    ) AS r
) AS recent ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('window', l.limit_window, 'account', l.account,
                                        'seen_at', l.seen_at, 'resets_at', l.resets_at)) AS held
    FROM account_limits l
    WHERE l.agent = t.agent AND l.status = 'rejected' AND l.cleared_news IS DISTINCT FROM l.seen_at
) AS limits ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('id', d.id, 'repo_id', d.repo_id, 'status', d.status, 'enabled', d.enabled)
                     ORDER BY d.repo_id) AS targets
    FROM targets d
    WHERE d.repo_id = ANY(t.depends_on) AND d.status <> 'complete'
) AS needed ON t.depends_on <> '{}'
WHERE %(ids)s::uuid[] IS NULL OR t.id = ANY(%(ids)s::uuid[])
ORDER BY t.priority, t.repo_id

-- name: dependents
-- The enabled targets that depend on a target, directly, and are not complete themselves.
SELECT id FROM targets WHERE depends_on @> ARRAY[%(repo_id)s::text] AND enabled AND status <> 'complete' ORDER BY id

-- name: feature
-- Where a feature of a target stands; no row: its list has none of that key (any more).
SELECT status, passes FROM target_features
WHERE target_id = %(target_id)s AND feature_key = %(key)s AND removed_at IS NULL

-- name: skip_feature
-- Leave a feature out from now on.
INSERT INTO feature_skips (target_id, feature_key) VALUES (%(target_id)s, %(key)s) ON CONFLICT DO NOTHING

-- name: take_feature_in
-- Leave it out no longer.
DELETE FROM feature_skips WHERE target_id = %(target_id)s AND feature_key = %(key)s

-- name: mark_skipped
-- Let a feature that does not pass show as skipped, or as pending again. Gives its status.
UPDATE target_features SET status = CASE WHEN passes THEN status WHEN %(skipped)s THEN 'skipped'
                                         WHEN status = 'skipped' THEN 'pending' ELSE status END
WHERE target_id = %(target_id)s AND feature_key = %(key)s
RETURNING status

-- name: features_at
-- When the feature list of a target was last seen.
SELECT features_at FROM targets WHERE id = %(target_id)s

-- name: take_group
-- Hold a serial group for a home (a machine's ACD_HOME): no row, another one holds it. A lease whose time is over is
-- anybody's, but not before the server itself has been up for as long: while it was away nobody could renew one. A harness
-- that died renews none either, and its agent may go on: so the group is not free while another machine's session of it runs
-- under a worker whose own lease is not over.
INSERT INTO serial_group_leases AS l (group_key, serial_group, holder, expires_at)
SELECT %(key)s, %(serial_group)s, %(holder)s, now() + make_interval(secs => %(seconds)s)
WHERE NOT EXISTS (
    SELECT FROM targets t
    JOIN target_places p ON p.target_id = t.id AND p.host <> %(host)s
    JOIN workers w ON w.id = p.worker_id AND w.lease_until > now()
    JOIN harness_sessions s ON s.target_id = t.id AND s.status = 'running' AND s.origin = 'harness' AND s.host = p.host
    WHERE t.serial_group = %(serial_group)s)
ON CONFLICT (target_id, group_key) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE l.holder = excluded.holder
   OR (l.expires_at < now() AND pg_postmaster_start_time() < now() - make_interval(secs => %(seconds)s))
RETURNING l.holder

-- name: keep_group
-- Renew it; no row: it is another's by now.
UPDATE serial_group_leases SET expires_at = now() + make_interval(secs => %(seconds)s)
WHERE group_key = %(key)s AND holder = %(holder)s
RETURNING holder

-- name: leave_group
-- Let go of it.
DELETE FROM serial_group_leases WHERE group_key = %(key)s AND holder = %(holder)s

-- name: block_features
-- Features that were rejected too often are blocked; those that were and are to be tried again are rejected ones again.
UPDATE target_features
SET status = CASE WHEN feature_key = ANY(%(keys)s::text[]) THEN 'blocked' ELSE 'rejected' END
WHERE target_id = %(target_id)s AND NOT passes
  AND (feature_key = ANY(%(keys)s::text[])) <> (status = 'blocked')
  AND status IN ('pending', 'claimed', 'rejected', 'regressed', 'blocked')
  AND (feature_key = ANY(%(keys)s::text[]) OR status = 'blocked')

-- name: mark_target
-- Say what a target is doing now (active, pending, complete, blocked) and why. One that was disabled meanwhile keeps
-- the status that tells it.
UPDATE targets SET status = %(status)s, status_reason = %(reason)s, updated_at = now()
WHERE id = %(target_id)s
  AND (enabled OR %(status)s = 'complete')
  AND (status, status_reason) IS DISTINCT FROM (%(status)s, %(reason)s)

-- name: try_target_again
-- A person gives a target another try: blocked is active again, its reason is gone. Gives its status.
UPDATE targets SET
    status = CASE WHEN status = 'blocked' THEN 'active' ELSE status END,
    status_reason = CASE WHEN status = 'blocked' THEN NULL ELSE status_reason END,
    updated_at = now()
WHERE id = %(target_id)s
RETURNING status

-- name: lock_jobs_schema
-- One at a time makes (or renews) the tables of the job engine; the others wait until it has committed.
SELECT pg_advisory_xact_lock(hashtext('acd_queue'))

-- name: jobs_schema
-- Whether the job engine's tables are there, and which text made them (its hash stands in the schema's comment).
SELECT
    to_regclass('acd_queue.procrastinate_jobs') IS NOT NULL AS present,
    (SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'acd_queue') AS made_by

-- name: judged
-- What the harness found out about features of a target: those that were said to work and do not count, most important
-- first, with the reason and how often each was rejected since it last passed; the verified ones; and all that pass, those
-- first that were checked longest ago or never. Always one row.
SELECT
    coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'key', f.feature_key, 'change', c.change, 'detail', c.detail, 'evidence', c.evidence,
            'attempts', (
                SELECT count(*) FROM feature_changes r
                WHERE r.target_id = f.target_id AND r.feature_key = f.feature_key AND r.change = 'rejected'
                  AND r.changed_at > coalesce((
                      SELECT max(p.changed_at) FROM feature_changes p
                      WHERE p.target_id = f.target_id AND p.feature_key = f.feature_key
                        AND p.change IN ('passing', 'confirmed')), '-infinity'))
        ) ORDER BY f.priority NULLS LAST, f.position)
        FROM target_features f
        CROSS JOIN LATERAL (
            SELECT e.change, e.detail, e.evidence FROM feature_changes e
            WHERE e.target_id = f.target_id AND e.feature_key = f.feature_key AND e.evidence IS NOT NULL
            ORDER BY e.changed_at DESC, e.source_offset DESC
            LIMIT 1) AS c
        WHERE f.target_id = %(target_id)s AND f.status IN ('rejected', 'claimed', 'regressed') AND NOT f.passes
          AND c.change IN ('rejected', 'unjudged', 'regressed')), '[]') AS rejections,
    coalesce((
        SELECT jsonb_agg(f.feature_key ORDER BY f.position) FROM target_features f
        WHERE f.target_id = %(target_id)s AND f.passes AND f.verified_at IS NOT NULL), '[]') AS verified,
    coalesce((
        SELECT jsonb_agg(f.feature_key ORDER BY f.verified_at NULLS FIRST, f.position)
        FROM target_features f WHERE f.target_id = %(target_id)s AND f.passes), '[]') AS to_recheck;
