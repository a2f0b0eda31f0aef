-- name: recent
-- Daily snapshots of the last `days` days (today included), newest first, of one target or (repo_id null) of all.
-- Gives a JSON array.
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT p.target_id AS "targetId", p.snapshot_date AS "snapshotDate", p.total_features AS "totalFeatures",
           p.passing_features AS "passingFeatures", p.verified_features AS "verifiedFeatures",
           p.percent_complete AS "percentComplete", p.features_at AS "featuresAt",
           p.sessions_today AS "sessionsToday", p.tokens_today AS "tokensToday", p.cost_today AS "costToday",
           json_build_object('name', t.name, 'repoId', t.repo_id) AS target
    FROM progress_snapshots p
    JOIN targets t ON t.id = p.target_id
    WHERE p.snapshot_date > current_date - %(days)s::integer
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
    ORDER BY p.snapshot_date DESC, t.priority, t.repo_id
) AS shown;
