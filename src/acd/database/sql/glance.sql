-- name: sessions_named
-- Ids of the sessions that a word of the user may mean: those from `first` to `last`. At most `limit`, whichever.
SELECT s.id
FROM harness_sessions s
WHERE s.id BETWEEN %(first)s::uuid AND %(last)s::uuid
LIMIT %(limit)s::bigint

-- name: session_numbered
-- Id of session number `number` of the target repo_id.
SELECT s.id
FROM harness_sessions s
JOIN targets t ON t.id = s.target_id
WHERE t.repo_id = %(repo_id)s AND s.session_number = %(number)s

-- name: timeline
-- The last `limit` events of one session, oldest first. Gives a JSON array; empty when there is no such session.
SELECT coalesce(json_agg(shown ORDER BY shown.seq), '[]')
FROM (
    SELECT v.seq, v.kind, v.occurred_at AS "occurredAt", v.tool_name AS "toolName", v.tool_use_id AS "toolUseId",
           v.subagent, v.duration_ms AS "durationMs", v.outcome, v.text
    FROM session_events v
    WHERE v.target_id = (SELECT target_id FROM harness_sessions WHERE id = %(id)s::uuid) AND v.session_id = %(id)s::uuid
    ORDER BY v.seq DESC
    LIMIT %(limit)s::bigint
) AS shown;

-- name: commits
-- Commits made in sessions on all targets, newest first, at most `limit`. Gives a JSON array.
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT c.sha, c.target_id AS "targetId", c.session_id AS "sessionId",
           (SELECT s.session_number FROM harness_sessions s
            WHERE s.target_id = c.target_id AND s.id = c.session_id) AS "sessionNumber",
           c.message, c.author, c.files_changed AS "filesChanged", c.additions, c.deletions, c.branch,
           c.committed_at AS "committedAt", json_build_object('name', t.name, 'repoId', t.repo_id) AS target
    FROM harness_commits c
    JOIN targets t ON t.id = c.target_id
    ORDER BY c.committed_at DESC, c.sha
    LIMIT %(limit)s::bigint
) AS shown;

-- name: usage_by_target
-- What each target used over the last `days` days (today included, days of the database's time zone), by cost,
-- which leaves the unpriced requests out. Gives a JSON array.
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT sum(u.total_tokens) AS tokens, sum(u.cost_usd) AS cost, sum(u.request_count) AS requests,
           sum(u.unpriced_requests) AS "unpricedRequests",
           sum(u.input_tokens) AS "inputTokens", sum(u.output_tokens) AS "outputTokens",
           sum(u.cache_read_tokens) AS "cacheReadTokens", sum(u.cache_write_tokens) AS "cacheWriteTokens",
           json_build_object('name', t.name, 'repoId', t.repo_id) AS target
    FROM model_usage u
    JOIN targets t ON t.id = u.target_id
    WHERE u.usage_date > current_date - %(days)s::integer
    GROUP BY t.id
    ORDER BY sum(u.cost_usd) DESC, t.repo_id
) AS shown;

-- name: standing
-- What a person should know of the figures as a whole: sessions where the agent reports another cost than ours, lines
-- that could not be read, errors not resolved; which limits of accounts hold work back, and until when (whoever reads it
-- looks at the clock). One JSON object.
SELECT json_build_object(
    'gapSessions', (SELECT count(*) FROM harness_sessions WHERE cost_gap_usd <> 0),
    'gapUsd', (SELECT coalesce(sum(cost_gap_usd), 0) FROM harness_sessions WHERE cost_gap_usd <> 0),
    'leftOutLines', (SELECT coalesce(sum(lines_left_out), 0) FROM ledger_files WHERE lines_left_out > 0),
    'openErrors', (SELECT count(*) FROM harness_errors WHERE NOT resolved),
    'limits', (
        SELECT coalesce(json_agg(
            json_build_object('agent', agent, 'account', account, 'window', limit_window, 'resetsAt', resets_at)
            ORDER BY resets_at, agent, account, limit_window), '[]')
        FROM account_limits WHERE status = 'rejected' AND cleared_news IS DISTINCT FROM seen_at));
