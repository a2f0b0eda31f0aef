-- name: recent
-- Targets by priority, each with its last 5 sessions, newest first. Parameters: status, enabled, q (part of name,
-- repoId or path; case does not matter), each null for "any". Passing features that are not among the verified ones
-- are the agents' word alone. Gives a JSON array.
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT t.id, t.repo_id AS "repoId", t.name, t.path, t.priority, t.complexity, t.enabled, t.focus, t.prompt, t.prd,
           t.feature_list AS "featureList", t.until_complete AS "untilComplete", t.serial_group AS "serialGroup",
           t.tags, t.verify_command AS "verifyCommand", t.agent, t.max_sessions AS "maxSessions",
           t.session_delay_s AS "sessionDelayS", t.total_features AS "totalFeatures",
           t.passing_features AS "passingFeatures", t.total_features - t.passing_features AS "pendingFeatures",
           (SELECT count(*) FROM target_features f
            WHERE f.target_id = t.id AND f.status = 'passing' AND f.verified_at IS NOT NULL) AS "verifiedFeatures",
           t.percent_complete AS "percentComplete", t.features_at AS "featuresAt",
           t.status,
           coalesce(t.status_reason, (SELECT w.reason FROM waiting_for_a_machine w WHERE w.target_id = t.id))
               AS "statusReason",
           t.last_session_at AS "lastSessionAt",
           t.last_model AS "lastModel", t.created_at AS "createdAt", t.updated_at AS "updatedAt",
           spent.sessions AS "totalSessions", spent.tokens AS "totalTokens", spent.cost AS "totalCostUsd",
           spent.unpriced AS "unpricedRequests",
           coalesce(newest.sessions, '[]') AS sessions
    FROM targets t
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.sessions_today), 0) AS sessions, coalesce(sum(p.cost_today), 0) AS cost,
               coalesce(sum(p.tokens_today), 0) AS tokens, coalesce(sum(p.unpriced_today), 0) AS unpriced
        FROM progress_snapshots p
        WHERE p.target_id = t.id
    ) AS spent
    CROSS JOIN LATERAL (
        SELECT json_agg(last_ones) AS sessions
        FROM (
            SELECT s.id, s.target_id AS "targetId", s.session_number AS "sessionNumber",
                   s.session_type AS "sessionType", s.model, s.status, s.started_at AS "startedAt",
                   s.finished_at AS "finishedAt", s.duration_ms AS "durationMs", s.input_tokens AS "inputTokens",
                   s.output_tokens AS "outputTokens", s.cache_read_tokens AS "cacheReadTokens",
                   s.cache_write_tokens AS "cacheWriteTokens", s.cost_usd AS "costUsd",
                   s.features_before AS "featuresBefore", s.features_after AS "featuresAfter",
                   s.features_completed AS "featuresCompleted", s.commits_made AS "commitsMade",
                   s.error_type AS "errorType", s.error_message AS "errorMessage"
            FROM harness_sessions s
            WHERE s.target_id = t.id
            ORDER BY s.started_at DESC, s.id DESC
            LIMIT 5
        ) AS last_ones
    ) AS newest
    WHERE (%(status)s::text IS NULL OR t.status = %(status)s)
      AND (%(enabled)s::boolean IS NULL OR t.enabled = %(enabled)s)
      AND (%(q)s::text IS NULL OR position(lower(%(q)s) IN lower(concat_ws(' ', t.name, t.repo_id, t.path))) > 0)
    ORDER BY t.priority, t.repo_id
) AS shown;

-- name: summary
-- All targets and all sessions in one object. Features and percent are of every target, enabled or not. What sessions
-- came to is summed by target and day already, so that their number costs nothing here.
SELECT json_build_object(
    'totalTargets', t.total, 'enabledTargets', t.enabled, 'completeTargets', t.complete,
    'totalFeatures', t.features, 'passingFeatures', t.passing, 'pendingFeatures', t.features - t.passing,
    'verifiedFeatures', (SELECT count(*) FROM target_features WHERE status = 'passing' AND verified_at IS NOT NULL),
    'overallPercent', CASE WHEN t.features = 0 THEN 0 ELSE round(100.0 * t.passing / t.features, 2) END,
    'totalSessions', s.total,
    'runningSessions', (SELECT count(*) FROM harness_sessions WHERE status = 'running'), 'totalTokens', s.tokens, 'totalCostUsd', s.cost,
    'unpricedRequests', s.unpriced)
FROM (
    SELECT count(*) AS total, count(*) FILTER (WHERE enabled) AS enabled,
           count(*) FILTER (WHERE status = 'complete') AS complete,
           coalesce(sum(total_features), 0) AS features, coalesce(sum(passing_features), 0) AS passing
    FROM targets
) AS t
CROSS JOIN (
    SELECT coalesce(sum(sessions_today), 0) AS total, coalesce(sum(tokens_today), 0) AS tokens,
           coalesce(sum(cost_today), 0) AS cost, coalesce(sum(unpriced_today), 0) AS unpriced
    FROM progress_snapshots
) AS s;

-- name: status
-- The queue as clients of the earlier system expect it: percentages are strings with one digit after the point.
-- The circuit breaker is open while a limit of an account holds work back.
SELECT json_build_object(
    'timestamp', now(),
    'summary', (
        SELECT json_build_object(
            'totalTargets', count(*), 'enabledTargets', count(*) FILTER (WHERE enabled),
            'totalFeatures', coalesce(sum(total_features), 0), 'totalPassing', coalesce(sum(passing_features), 0),
            'totalPending', coalesce(sum(total_features - passing_features), 0),
            'overallComplete',
            round(coalesce(100.0 * sum(passing_features) / nullif(sum(total_features), 0), 0), 1)::text)
        FROM targets),
    'scheduler', json_build_object(
        'queueLength', (
            SELECT count(*) FROM targets t
            WHERE t.enabled AND t.status IN ('pending', 'active')
              AND NOT EXISTS (SELECT FROM harness_sessions s WHERE s.target_id = t.id AND s.status = 'running')),
        'runningTasks', (SELECT count(*) FROM harness_sessions WHERE status = 'running'),
        'circuitBreakerOpen', EXISTS (SELECT FROM account_limits WHERE status = 'rejected' AND resets_at > now())),
    'activeHarnesses', (
        SELECT coalesce(json_agg(json_build_object(
            'repoId', t.repo_id, 'sessionId', s.id, 'sessionNumber', s.session_number, 'model', s.model,
            'startedAt', s.started_at, 'host', s.host) ORDER BY s.started_at, s.id), '[]')
        FROM harness_sessions s JOIN targets t ON t.id = s.target_id
        WHERE s.status = 'running'),
    'targets', (
        SELECT coalesce(json_agg(json_build_object(
            'id', repo_id, 'name', name, 'path', path, 'priority', priority, 'enabled', enabled, 'focus', focus,
            'features', json_build_object(
                'total', total_features, 'passing', passing_features, 'pending', total_features - passing_features,
                'percentComplete', round(percent_complete, 1)::text)) ORDER BY priority, repo_id), '[]')
        FROM targets));

-- name: folders
-- Where targets lie and how far they are, those worked last first: for the status line.
SELECT path, repo_id, passing_features, total_features FROM targets
ORDER BY last_session_at DESC NULLS LAST, repo_id
LIMIT %(limit)s::bigint;
