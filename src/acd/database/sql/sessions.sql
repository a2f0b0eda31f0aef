-- name: recent
-- Sessions, newest first. Parameters: limit; after_at, after_id, the place behind which the page begins ('infinity'
-- for the first); repo_id, model (asked for or used), status, type, agent, q, since, until, each null for "any" (`since`
-- is inclusive, `until` is not). `q` is looked for in the target's name and id, the error's message, the branch and the
-- machine, and at the beginning of the session's id. Places and times are compared without "or null", so that they bound the scan of an index under a plan that is
-- made once; the two halves exclude each other, so that a target's sessions come from the target's own index. Gives a
-- JSON array.
WITH meant AS (
    SELECT id FROM targets WHERE %(q)s::text IS NOT NULL AND strpos(lower(name || E'\n' || repo_id), lower(%(q)s)) > 0
), picked AS (
    (SELECT s.*
     FROM harness_sessions s
     WHERE %(repo_id)s::text IS NULL
       AND (s.started_at, s.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
       AND s.started_at >= coalesce(%(since)s::timestamptz, '-infinity')
       AND s.started_at < coalesce(%(until)s::timestamptz, 'infinity')
       AND (%(model)s::text IS NULL OR s.model = %(model)s OR s.model_used = %(model)s)
       AND (%(status)s::text IS NULL OR s.status = %(status)s)
       AND (%(type)s::text IS NULL OR s.session_type = %(type)s)
       AND (%(agent)s::text IS NULL OR s.agent = %(agent)s)
       AND (%(q)s::text IS NULL OR s.target_id = ANY (SELECT id FROM meant)
            OR strpos(lower(concat_ws(E'\n', s.error_message, s.branch, s.host)), lower(%(q)s)) > 0
            OR starts_with(s.id::text, lower(%(q)s)))
     ORDER BY s.started_at DESC, s.id DESC
     LIMIT %(limit)s::bigint)
    UNION ALL
    (SELECT s.*
     FROM harness_sessions s
     WHERE %(repo_id)s::text IS NOT NULL
       AND s.target_id = (SELECT id FROM targets WHERE repo_id = %(repo_id)s)
       AND (s.started_at, s.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
       AND s.started_at >= coalesce(%(since)s::timestamptz, '-infinity')
       AND s.started_at < coalesce(%(until)s::timestamptz, 'infinity')
       AND (%(model)s::text IS NULL OR s.model = %(model)s OR s.model_used = %(model)s)
       AND (%(status)s::text IS NULL OR s.status = %(status)s)
       AND (%(type)s::text IS NULL OR s.session_type = %(type)s)
       AND (%(agent)s::text IS NULL OR s.agent = %(agent)s)
       AND (%(q)s::text IS NULL OR s.target_id = ANY (SELECT id FROM meant)
            OR strpos(lower(concat_ws(E'\n', s.error_message, s.branch, s.host)), lower(%(q)s)) > 0
            OR starts_with(s.id::text, lower(%(q)s)))
     ORDER BY s.started_at DESC, s.id DESC
     LIMIT %(limit)s::bigint)
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT s.id, s.target_id AS "targetId", s.session_number AS "sessionNumber", s.session_type AS "sessionType",
           s.origin, s.agent, s.agent_session_id AS "agentSessionId", s.agent_version AS "agentVersion",
           s.model, s.model_used AS "modelUsed", s.status, s.started_at AS "startedAt", s.finished_at AS "finishedAt",
           s.duration_ms AS "durationMs", s.api_duration_ms AS "apiDurationMs",
           s.input_tokens AS "inputTokens", s.output_tokens AS "outputTokens",
           s.cache_read_tokens AS "cacheReadTokens", s.cache_write_tokens AS "cacheWriteTokens",
           s.input_tokens + s.output_tokens + s.cache_read_tokens + s.cache_write_tokens AS "totalTokens",
           s.cost_usd AS "costUsd", s.reported_cost_usd AS "reportedCostUsd", s.cost_gap_usd AS "costGapUsd",
           s.unpriced_requests AS "unpricedRequests", s.request_count AS "requestCount", s.turn_count AS "turnCount",
           s.retry_count AS "retryCount", s.model_fallbacks AS "modelFallbacks", s.cache_hit_rate AS "cacheHitRate",
           s.features_before AS "featuresBefore", s.features_after AS "featuresAfter",
           s.features_completed AS "featuresCompleted", s.commits_made AS "commitsMade",
           s.error_type AS "errorType", s.error_message AS "errorMessage", s.exit_code AS "exitCode",
           s.host, s.branch, s.head_before AS "headBefore", s.head_after AS "headAfter",
           s.prompt_sha256 AS "promptSha256", s.billing, s.last_event_at AS "lastEventAt", s.updated_at AS "updatedAt",
           json_build_object('name', t.name, 'repoId', t.repo_id) AS target
    FROM picked s
    JOIN targets t ON t.id = s.target_id
    ORDER BY s.started_at DESC, s.id DESC
) AS shown;

-- name: one
-- One session with its requests by model, errors, commits and the changes of features in it. Parameter: id. No row
-- when there is no such session. Its own columns are those of `recent`. A model whose price nobody knows has no cost.
SELECT to_json(shown)
FROM (
    SELECT s.id, s.target_id AS "targetId", s.session_number AS "sessionNumber", s.session_type AS "sessionType",
           s.origin, s.agent, s.agent_session_id AS "agentSessionId", s.agent_version AS "agentVersion",
           s.model, s.model_used AS "modelUsed", s.status, s.started_at AS "startedAt", s.finished_at AS "finishedAt",
           s.duration_ms AS "durationMs", s.api_duration_ms AS "apiDurationMs",
           s.input_tokens AS "inputTokens", s.output_tokens AS "outputTokens",
           s.cache_read_tokens AS "cacheReadTokens", s.cache_write_tokens AS "cacheWriteTokens",
           s.input_tokens + s.output_tokens + s.cache_read_tokens + s.cache_write_tokens AS "totalTokens",
           s.cost_usd AS "costUsd", s.reported_cost_usd AS "reportedCostUsd", s.cost_gap_usd AS "costGapUsd",
           s.unpriced_requests AS "unpricedRequests", s.request_count AS "requestCount", s.turn_count AS "turnCount",
           s.retry_count AS "retryCount", s.model_fallbacks AS "modelFallbacks", s.cache_hit_rate AS "cacheHitRate",
           s.features_before AS "featuresBefore", s.features_after AS "featuresAfter",
           s.features_completed AS "featuresCompleted", s.commits_made AS "commitsMade",
           s.error_type AS "errorType", s.error_message AS "errorMessage", s.exit_code AS "exitCode",
           s.host, s.branch, s.head_before AS "headBefore", s.head_after AS "headAfter",
           s.prompt_sha256 AS "promptSha256", s.billing, s.last_event_at AS "lastEventAt", s.updated_at AS "updatedAt",
           json_build_object('name', t.name, 'repoId', t.repo_id) AS target,
           (SELECT coalesce(json_agg(by_model), '[]') FROM (
                SELECT u.model, count(*) FILTER (WHERE u.is_request) AS requests,
                       sum(u.input_tokens) AS "inputTokens", sum(u.output_tokens) AS "outputTokens",
                       sum(u.cache_read_tokens) AS "cacheReadTokens", sum(u.cache_write_tokens) AS "cacheWriteTokens",
                       sum(u.cache_write_5m_tokens) AS "cacheWrite5mTokens",
                       sum(u.cache_write_1h_tokens) AS "cacheWrite1hTokens",
                       sum(u.reasoning_tokens) AS "reasoningTokens", sum(u.web_searches) AS "webSearches",
                       sum(u.cost_usd) AS "costUsd",
                       count(*) FILTER (WHERE u.cost_usd IS NULL) AS "unpricedRequests"
                FROM token_usage_details u
                WHERE u.target_id = s.target_id AND u.session_id = s.id
                GROUP BY u.model
                ORDER BY sum(u.cost_usd) DESC NULLS LAST, u.model) AS by_model) AS "requestsByModel",
           (SELECT coalesce(json_agg(errors), '[]') FROM (
                SELECT e.id, e.error_type AS "errorType", e.error_code AS "errorCode", e.message,
                       e.stack_trace AS "stackTrace", e.context, e.attempt, e.retryable, e.resolved,
                       e.resolved_at AS "resolvedAt", e.occurred_at AS "occurredAt"
                FROM harness_errors e
                WHERE e.target_id = s.target_id AND e.session_id = s.id
                ORDER BY e.occurred_at, e.id) AS errors) AS errors,
           (SELECT coalesce(json_agg(commits), '[]') FROM (
                SELECT c.sha, c.message, c.author, c.files_changed AS "filesChanged", c.additions, c.deletions,
                       c.branch, c.committed_at AS "committedAt"
                FROM harness_commits c
                WHERE c.target_id = s.target_id AND c.session_id = s.id
                ORDER BY c.committed_at, c.sha) AS commits) AS commits,
           (SELECT coalesce(json_agg(changes), '[]') FROM (
                SELECT f.feature_key AS "featureKey", f.change, f.status, f.commit, f.detail,
                       CASE WHEN f.evidence IS NOT NULL THEN json_build_object(
                       'command', f.evidence ->> 'command', 'commit', f.evidence ->> 'commit',
                       'exitStatus', (f.evidence ->> 'exit_status')::integer,
                       'outputTail', coalesce(f.evidence ->> 'output_tail', ''),
                       'durationMs', coalesce((f.evidence ->> 'duration_ms')::integer, 0),
                       'reason', coalesce(f.evidence ->> 'reason', '')) END AS evidence,
                       f.changed_at AS "changedAt"
                FROM feature_changes f
                WHERE f.target_id = s.target_id AND f.session_id = s.id
                ORDER BY f.changed_at, f.source, f.source_offset) AS changes) AS "featureChanges"
    FROM harness_sessions s
    JOIN targets t ON t.id = s.target_id
    WHERE s.id = %(id)s::uuid
) AS shown;

-- name: events
-- The timeline of session `id`, oldest first, from the event after `after_seq` on, at most `limit`. Gives a JSON array;
-- no row when there is no such session.
SELECT coalesce((
    SELECT json_agg(shown)
    FROM (
        SELECT v.seq, v.kind, v.occurred_at AS "occurredAt", v.tool_name AS "toolName", v.tool_use_id AS "toolUseId",
               v.subagent, v.duration_ms AS "durationMs", v.outcome, v.text
        FROM session_events v
        WHERE v.target_id = s.target_id AND v.session_id = s.id AND v.seq > %(after_seq)s::bigint
        ORDER BY v.seq
        LIMIT %(limit)s::bigint
    ) AS shown), '[]')
FROM harness_sessions s
WHERE s.id = %(id)s::uuid;

-- name: whereabouts
-- On which machine a session's files are (null for one that was recorded by another program) and whether it still runs.
SELECT host, status FROM harness_sessions WHERE id = %(id)s::uuid


-- name: choices
-- What sessions can be chosen by: every target's name and id, the models and agents that targets had last. One JSON
-- object.
SELECT json_build_object(
    'targets', (SELECT coalesce(json_agg(json_build_object('name', name, 'repoId', repo_id)
                                         ORDER BY lower(name), repo_id), '[]') FROM targets),
    'models', (SELECT coalesce(json_agg(DISTINCT last_model), '[]') FROM targets WHERE last_model IS NOT NULL),
    'agents', (SELECT coalesce(json_agg(DISTINCT agent), '[]') FROM targets));
