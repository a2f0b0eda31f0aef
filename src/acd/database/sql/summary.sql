-- name: of_period
-- What was done from a moment (null: the beginning of yesterday in the database's zone) to before another (null: now).
-- Cost and tokens count when they were spent, sessions when they began, features when they were first seen passing,
-- rejected claims when the harness saw a feature fail that a session had called done. Of targets: those on which
-- something was done, and those that are blocked. Gives one JSON object.
WITH bounds AS MATERIALIZED (
    SELECT coalesce(%(since)s::timestamptz, (current_date - 1)::timestamptz) AS since,
           coalesce(%(until)s::timestamptz, now()) AS until
), begun AS (
    SELECT s.target_id, count(*) AS sessions, count(*) FILTER (WHERE s.status = 'failed') AS failed
    FROM bounds b, harness_sessions s
    WHERE s.started_at >= b.since AND s.started_at < b.until
    GROUP BY s.target_id
), used AS (
    SELECT u.target_id,
           sum(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens) AS tokens,
           coalesce(sum(u.cost_usd), 0) AS cost, count(*) FILTER (WHERE u.cost_usd IS NULL) AS unpriced
    FROM bounds b, token_usage_details u
    WHERE u.requested_at >= b.since AND u.requested_at < b.until
    GROUP BY u.target_id
), listed AS (
    SELECT coalesce(sum(u.cost_usd), 0) AS cost
    FROM bounds b, harness_sessions s
    JOIN token_usage_details u ON u.target_id = s.target_id AND u.session_id = s.id
    WHERE s.billing = 'subscription' AND u.requested_at >= b.since AND u.requested_at < b.until
), made AS (
    SELECT f.target_id, count(*) FILTER (WHERE f.verified_at IS NOT NULL) AS verified,
           count(*) FILTER (WHERE f.verified_at IS NULL) AS unverified
    FROM bounds b, target_features f
    WHERE f.implemented_at >= b.since AND f.implemented_at < b.until AND f.passes AND f.removed_at IS NULL
    GROUP BY f.target_id
), refused AS (
    SELECT c.target_id, count(*) AS claims
    FROM bounds b, feature_changes c
    WHERE c.changed_at >= b.since AND c.changed_at < b.until AND c.change = 'rejected'
    GROUP BY c.target_id
), committed AS (
    SELECT c.target_id, count(*) AS commits
    FROM bounds b, harness_commits c
    WHERE c.committed_at >= b.since AND c.committed_at < b.until
    GROUP BY c.target_id
), by_target AS MATERIALIZED (
    SELECT json_build_object('name', t.name, 'repoId', t.repo_id) AS target, t.status,
           t.status_reason AS "statusReason",
           t.status = 'complete' AND made.target_id IS NOT NULL AND NOT EXISTS (
               SELECT FROM bounds b, target_features f
               WHERE f.target_id = t.id AND f.removed_at IS NULL AND f.implemented_at >= b.until) AS finished,
           coalesce(begun.sessions, 0) AS sessions, coalesce(begun.failed, 0) AS "failedSessions",
           coalesce(made.verified, 0) AS "verifiedFeatures", coalesce(made.unverified, 0) AS "unverifiedFeatures",
           coalesce(refused.claims, 0) AS "rejectedClaims",
           coalesce(committed.commits, 0) AS commits, coalesce(used.tokens, 0) AS tokens,
           coalesce(used.cost, 0) AS "costUsd", coalesce(used.unpriced, 0) AS "unpricedRequests",
           t.passing_features AS "passingFeatures", t.total_features AS "totalFeatures"
    FROM targets t
    LEFT JOIN begun ON begun.target_id = t.id
    LEFT JOIN used ON used.target_id = t.id
    LEFT JOIN made ON made.target_id = t.id
    LEFT JOIN refused ON refused.target_id = t.id
    LEFT JOIN committed ON committed.target_id = t.id
    WHERE coalesce(begun.target_id, used.target_id, made.target_id, refused.target_id, committed.target_id) IS NOT NULL
       OR (t.enabled AND t.status = 'blocked')
    ORDER BY coalesce(used.cost, 0) DESC, t.priority, t.repo_id
), by_error AS (
    SELECT e.error_type AS "errorType", count(*) AS errors,
           count(*) FILTER (WHERE e.context->>'origin' = 'retry') AS "retriedByAgent",
           (array_agg(e.message ORDER BY e.occurred_at DESC))[1] AS "lastMessage"
    FROM bounds b, harness_errors e
    WHERE e.occurred_at >= b.since AND e.occurred_at < b.until
    GROUP BY e.error_type
    ORDER BY count(*) DESC, e.error_type
), by_limit AS (
    SELECT s.agent, s.error_type AS "errorType", count(*) AS sessions, max(s.finished_at) AS "lastAt"
    FROM bounds b, harness_sessions s
    WHERE s.status = 'failed' AND s.error_type IN ('usage_limit', 'rate_limit')
      AND s.finished_at >= b.since AND s.finished_at < b.until
    GROUP BY s.agent, s.error_type
    ORDER BY count(*) DESC, s.agent, s.error_type
)
SELECT json_build_object(
    'since', (SELECT since FROM bounds),
    'until', (SELECT until FROM bounds),
    'sessions', (SELECT coalesce(sum(sessions), 0) FROM by_target),
    'failedSessions', (SELECT coalesce(sum("failedSessions"), 0) FROM by_target),
    'verifiedFeatures', (SELECT coalesce(sum("verifiedFeatures"), 0) FROM by_target),
    'unverifiedFeatures', (SELECT coalesce(sum("unverifiedFeatures"), 0) FROM by_target),
    'rejectedClaims', (SELECT coalesce(sum("rejectedClaims"), 0) FROM by_target),
    'commits', (SELECT coalesce(sum(commits), 0) FROM by_target),
    'tokens', (SELECT coalesce(sum(tokens), 0) FROM by_target),
    'costUsd', (SELECT coalesce(sum("costUsd"), 0) FROM by_target),
    'unpricedRequests', (SELECT coalesce(sum("unpricedRequests"), 0) FROM by_target),
    'listPriceCostUsd', (SELECT cost FROM listed),
    'targets', (SELECT coalesce(json_agg(by_target), '[]') FROM by_target),
    'errors', (SELECT coalesce(json_agg(by_error), '[]') FROM by_error),
    'limits', (SELECT coalesce(json_agg(by_limit), '[]') FROM by_limit));
