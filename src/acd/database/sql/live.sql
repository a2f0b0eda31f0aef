-- name: running
-- Sessions that run now, oldest first, with what a terminal or page shows of them while they run. Gives a JSON array.
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT s.id, s.session_number AS "sessionNumber", s.session_type AS "sessionType", s.agent, s.model,
           s.model_used AS "modelUsed", s.host, s.started_at AS "startedAt", s.last_event_at AS "lastEventAt",
           s.request_count AS "requestCount",
           s.input_tokens + s.output_tokens + s.cache_read_tokens + s.cache_write_tokens AS "totalTokens",
           s.cost_usd AS "costUsd", s.unpriced_requests AS "unpricedRequests",
           (SELECT v.tool_name FROM session_events v
            WHERE v.target_id = s.target_id AND v.session_id = s.id AND v.tool_name IS NOT NULL
            ORDER BY v.seq DESC LIMIT 1) AS "lastTool",
           t.passing_features AS "passingFeatures", t.total_features AS "totalFeatures",
           s.features_before AS "featuresBefore", json_build_object('name', t.name, 'repoId', t.repo_id) AS target
    FROM harness_sessions s
    JOIN targets t ON t.id = s.target_id
    WHERE s.status = 'running'
    ORDER BY s.started_at, s.id
) AS shown;

-- name: running_here
-- Ids of the sessions that run on a machine, as far as is recorded, and that acd works itself.
SELECT id FROM harness_sessions WHERE status = 'running' AND origin = 'harness' AND host = %(host)s

-- name: show_lost
-- Sessions of this machine that nobody attends and whose agent is gone show as interrupted, until they are closed.
UPDATE harness_sessions
SET status = 'failed', error_type = 'interrupted', presumed_at = now(),
    error_message = 'its harness was ended before it could close the session; the next `acd run` on this machine does',
    finished_at = coalesce(last_event_at, started_at),
    duration_ms = (extract(epoch FROM (coalesce(last_event_at, started_at) - started_at)) * 1000)::bigint,
    updated_at = now()
WHERE id = ANY(%(ids)s::uuid[]) AND status = 'running'

-- name: health
-- Proof that the database answers, its version, and how many lines of agents could not be read. One JSON object.
SELECT json_build_object(
    'serverVersion', current_setting('server_version'),
    'leftOutLines', (SELECT coalesce(sum(lines_left_out), 0) FROM ledger_files WHERE lines_left_out > 0));

-- name: limits
-- What is known of the limits of agents' accounts, the tightest first. A limit whose reset has passed holds nothing
-- back any more. Gives a JSON array.
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT agent, account, limit_window AS window, status, utilization, resets_at AS "resetsAt", seen_at AS "seenAt",
           status = 'rejected' AND cleared_news IS DISTINCT FROM seen_at
           AND coalesce(resets_at > now(), true) AS holding
    FROM account_limits
    ORDER BY status = 'rejected' AND cleared_news IS DISTINCT FROM seen_at AND coalesce(resets_at > now(), true) DESC, utilization DESC NULLS LAST, agent,
             account, limit_window
) AS shown;

-- name: told
-- What the queue was told last.
SELECT state FROM queue_control
