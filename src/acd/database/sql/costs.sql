-- name: of_sessions
-- What stands behind the costs of features, errors and models: sessions begun from `since` to before `until` (null: no
-- end) by target, model (the family that was asked for), status and error type. Features are those that a session
-- implemented and that pass now; claims are rejected when the harness saw them fail. What a session that did not fail
-- spent on rejected claims is its cost shared evenly among them and the features that pass. Squares and products are of
-- coding sessions that ended, for intervals. Parameters also: repo_id, agent, each null for "any". Gives a JSON array.
WITH chosen AS MATERIALIZED (
    SELECT s.target_id, s.id, s.model, s.status, s.error_type, s.cost_usd, s.unpriced_requests, s.commits_made, s.billing,
           s.session_type = 'coding' AND s.status <> 'running' AS counts
    FROM harness_sessions s JOIN targets t ON t.id = s.target_id
    WHERE s.started_at >= %(since)s::timestamptz
      AND (%(until)s::timestamptz IS NULL OR s.started_at < %(until)s::timestamptz)
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
      AND (%(agent)s::text IS NULL OR s.agent = %(agent)s)
), made AS (
    SELECT f.target_id, f.session_id, count(*) AS features, count(f.verified_at) AS verified
    FROM target_features f
    WHERE f.session_id IS NOT NULL AND f.implemented_at IS NOT NULL AND f.passes AND f.removed_at IS NULL
    GROUP BY f.target_id, f.session_id
), refused AS (
    SELECT c.target_id, c.session_id, count(DISTINCT c.feature_key) AS claims
    FROM feature_changes c
    WHERE c.change = 'rejected' AND c.session_id IS NOT NULL
    GROUP BY c.target_id, c.session_id
), counted AS (
    SELECT c.*, coalesce(m.features, 0) AS features, coalesce(m.verified, 0) AS verified, coalesce(r.claims, 0) AS claims,
           CASE WHEN c.status <> 'failed' AND r.claims > 0
                THEN c.cost_usd * r.claims / (r.claims + coalesce(m.features, 0)) ELSE 0 END AS rejected_cost
    FROM chosen c
    LEFT JOIN made m ON m.target_id = c.target_id AND m.session_id = c.id
    LEFT JOIN refused r ON r.target_id = c.target_id AND r.session_id = c.id
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT json_build_object('name', t.name, 'repoId', t.repo_id) AS target,
           CASE WHEN t.enabled THEN t.total_features - t.passing_features ELSE 0 END AS remaining,
           c.model, c.status, c.error_type AS "errorType",
           count(*) AS sessions, sum(c.cost_usd) AS "costUsd", sum(c.unpriced_requests) AS "unpricedRequests",
           coalesce(sum(c.cost_usd) FILTER (WHERE c.billing = 'subscription'), 0) AS "listPriceCostUsd",
           sum(c.features) AS features, sum(c.verified) AS verified, sum(c.claims) AS "rejectedClaims",
           sum(c.rejected_cost) AS "rejectedCostUsd", sum(c.commits_made) AS commits,
           count(*) FILTER (WHERE c.counts) AS pairs,
           coalesce(sum(c.cost_usd::double precision) FILTER (WHERE c.counts), 0) AS x,
           coalesce(sum(c.features::double precision) FILTER (WHERE c.counts), 0) AS y,
           coalesce(sum(c.cost_usd::double precision ^ 2) FILTER (WHERE c.counts), 0) AS xx,
           coalesce(sum(c.features::double precision ^ 2) FILTER (WHERE c.counts), 0) AS yy,
           coalesce(sum(c.cost_usd::double precision * c.features) FILTER (WHERE c.counts), 0) AS xy
    FROM counted c JOIN targets t ON t.id = c.target_id
    GROUP BY t.id, c.model, c.status, c.error_type
    ORDER BY t.priority, t.repo_id, c.model, c.status, c.error_type
) AS shown;

-- name: remaining
-- How many features are left at targets that are enabled: of one, or (repo_id null) of all.
SELECT to_json(coalesce(sum(t.total_features - t.passing_features), 0)::bigint)
FROM targets t
WHERE t.enabled AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s);

-- name: worked
-- A target with where it lies on `host`, the session of each of its commits, and its sessions begun from `since` to before
-- `until` (null: no end) by `agent` (null: any). JSON; null where there is no such target.
SELECT coalesce((
    SELECT json_build_object(
        'repoId', t.repo_id,
        'path', coalesce((SELECT p.folder FROM target_places p WHERE p.target_id = t.id AND p.host = %(host)s
                          ORDER BY p.folder LIMIT 1), t.path),
        'commits', (SELECT coalesce(json_object_agg(c.sha, c.session_id), '{}') FROM harness_commits c
                    WHERE c.target_id = t.id AND c.session_id IS NOT NULL),
        'sessions', (SELECT coalesce(json_agg(json_build_object('id', s.id, 'sessionNumber', s.session_number,
                        'model', s.model, 'costUsd', s.cost_usd, 'unpricedRequests', s.unpriced_requests, 'billing', s.billing)), '[]')
                     FROM harness_sessions s
                     WHERE s.target_id = t.id AND s.started_at >= %(since)s::timestamptz
                       AND (%(until)s::timestamptz IS NULL OR s.started_at < %(until)s::timestamptz)
                       AND (%(agent)s::text IS NULL OR s.agent = %(agent)s)))
    FROM targets t WHERE t.repo_id = %(repo_id)s), 'null'::json);
