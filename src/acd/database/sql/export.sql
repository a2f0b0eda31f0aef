-- Rows for files: flat, every column as it is stored, oldest first. Parameters: since (inclusive), until (not), repo_id;
-- each null for "any". They are wrapped in COPY, once as CSV and once as JSON a row (`to_json` writes true for t and
-- ["a"] for {a} in both). Times are UTC to the microsecond.

-- name: sessions
-- Sessions by when they started.
SELECT s.id, s.target_id AS "targetId", t.repo_id AS "repoId", t.name AS "targetName",
       s.session_number AS "sessionNumber", s.session_type AS "sessionType", s.origin, s.agent,
       s.agent_session_id AS "agentSessionId", s.agent_version AS "agentVersion", s.model, s.model_used AS "modelUsed",
       s.status, to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "startedAt",
       to_char(s.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "finishedAt",
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
       s.host, s.branch, s.head_before AS "headBefore", s.head_after AS "headAfter"
FROM harness_sessions s
JOIN targets t ON t.id = s.target_id
WHERE (%(since)s::timestamptz IS NULL OR s.started_at >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR s.started_at < %(until)s::timestamptz)
  AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s::text)
ORDER BY s.started_at, s.id;

-- name: usage
-- Ledger rows by when they were requested.
SELECT u.request_key AS "requestKey", u.target_id AS "targetId", t.repo_id AS "repoId", t.name AS "targetName",
       u.session_id AS "sessionId", u.model, to_json(u.request_ids) AS "requestIds", to_json(u.is_request) AS "isRequest",
       u.input_tokens AS "inputTokens", u.output_tokens AS "outputTokens", u.cache_read_tokens AS "cacheReadTokens",
       u.cache_write_tokens AS "cacheWriteTokens", u.cache_write_5m_tokens AS "cacheWrite5mTokens",
       u.cache_write_1h_tokens AS "cacheWrite1hTokens", u.reasoning_tokens AS "reasoningTokens",
       u.web_searches AS "webSearches", u.cost_usd AS "costUsd", u.price_source AS "priceSource",
       u.price_date AS "priceDate", u.tool_name AS "toolName", to_json(u.tools) AS tools, u.subagent,
       to_char(u.requested_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "requestedAt"
FROM token_usage_details u
JOIN targets t ON t.id = u.target_id
WHERE (%(since)s::timestamptz IS NULL OR u.requested_at >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR u.requested_at < %(until)s::timestamptz)
  AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s::text)
ORDER BY u.requested_at, u.request_key;

-- name: errors
-- Errors, resolved or not, by when they happened.
SELECT e.id, e.target_id AS "targetId", t.repo_id AS "repoId", t.name AS "targetName", e.session_id AS "sessionId",
       e.error_type AS "errorType", e.error_code AS "errorCode", e.message, e.stack_trace AS "stackTrace", e.context,
       e.attempt, to_json(e.retryable) AS retryable, to_json(e.resolved) AS resolved,
       to_char(e.resolved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "resolvedAt",
       to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "occurredAt"
FROM harness_errors e
JOIN targets t ON t.id = e.target_id
WHERE (%(since)s::timestamptz IS NULL OR e.occurred_at >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR e.occurred_at < %(until)s::timestamptz)
  AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s::text)
ORDER BY e.occurred_at, e.id;

-- name: commits
-- Commits by when they were made.
SELECT c.sha, c.target_id AS "targetId", t.repo_id AS "repoId", t.name AS "targetName", c.session_id AS "sessionId",
       c.message, c.author, c.files_changed AS "filesChanged", c.additions, c.deletions, c.branch,
       to_char(c.committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "committedAt"
FROM harness_commits c
JOIN targets t ON t.id = c.target_id
WHERE (%(since)s::timestamptz IS NULL OR c.committed_at >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR c.committed_at < %(until)s::timestamptz)
  AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s::text)
ORDER BY c.committed_at, c.target_id, c.sha;

-- name: money_scale_of_sessions
-- How many digits after the point the longest amount of the same sessions has: a Parquet column must know it first.
SELECT max(greatest(scale(s.cost_usd), scale(s.reported_cost_usd), scale(s.cost_gap_usd))) AS scale
FROM harness_sessions s
JOIN targets t ON t.id = s.target_id
WHERE (%(since)s::timestamptz IS NULL OR s.started_at >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR s.started_at < %(until)s::timestamptz)
  AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s::text);

-- name: money_scale_of_usage
-- The same of ledger rows.
SELECT max(scale(u.cost_usd)) AS scale
FROM token_usage_details u
JOIN targets t ON t.id = u.target_id
WHERE (%(since)s::timestamptz IS NULL OR u.requested_at >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR u.requested_at < %(until)s::timestamptz)
  AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s::text);
