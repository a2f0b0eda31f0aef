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

-- name: by_day
-- Features by day over the last `days` days (today included, days of the database's time zone), of one target or
-- (repo_id null) of all together, oldest first. A day without a snapshot of a target has that of the day before; days
-- before the first one are left out. Gives a JSON array.
WITH target AS MATERIALIZED (
    SELECT id FROM targets WHERE %(repo_id)s::text IS NULL OR repo_id = %(repo_id)s
), known AS (
    SELECT s.target_id, s.snapshot_date, s.total_features, s.passing_features, s.verified_features
    FROM target t JOIN progress_snapshots s ON s.target_id = t.id
    WHERE s.snapshot_date > current_date - %(days)s::integer AND s.snapshot_date <= current_date
    UNION ALL
    SELECT t.id, s.snapshot_date, s.total_features, s.passing_features, s.verified_features
    FROM target t CROSS JOIN LATERAL (
        SELECT * FROM progress_snapshots p
        WHERE p.target_id = t.id AND p.snapshot_date <= current_date - %(days)s::integer
        ORDER BY p.snapshot_date DESC
        LIMIT 1
    ) AS s
), changed AS (
    -- What each snapshot adds to the one before it; added up over the days that is what all targets had together.
    SELECT greatest(snapshot_date, current_date - %(days)s::integer + 1) AS day,
           total_features - lag(total_features, 1, 0) OVER target_days AS total,
           passing_features - lag(passing_features, 1, 0) OVER target_days AS passing,
           verified_features - lag(verified_features, 1, 0) OVER target_days AS verified
    FROM known
    WINDOW target_days AS (PARTITION BY target_id ORDER BY snapshot_date)
), by_day AS (
    SELECT day, sum(total) AS total, sum(passing) AS passing, sum(verified) AS verified FROM changed GROUP BY day
), days AS (
    SELECT current_date - n AS day FROM generate_series(0, %(days)s::integer - 1) AS n
)
SELECT coalesce(json_agg(shown ORDER BY shown.date), '[]')
FROM (
    SELECT d.day AS date, (d.day + 1)::timestamptz AS "endsAt", sum(b.total) OVER so_far AS "totalFeatures",
           sum(b.passing) OVER so_far AS "passingFeatures", sum(b.verified) OVER so_far AS "verifiedFeatures"
    FROM days d LEFT JOIN by_day b USING (day)
    WHERE d.day >= (SELECT min(day) FROM by_day)
    WINDOW so_far AS (ORDER BY d.day)
) AS shown;

-- name: lines
-- Passing features of every target by day over the last `days` days, today last; as in `by_day`, but 0 before the first
-- snapshot. Gives a JSON object: a target's id in the queue file to its array.
SELECT coalesce(json_object_agg(shown."repoId", shown.passing), '{}')
FROM (
    SELECT t.repo_id AS "repoId", json_agg(coalesce(p.passing_features, 0) ORDER BY d.day) AS passing
    FROM targets t
    CROSS JOIN (SELECT current_date - n AS day FROM generate_series(0, %(days)s::integer - 1) AS n) AS d
    LEFT JOIN LATERAL (
        SELECT s.passing_features
        FROM progress_snapshots s
        WHERE s.target_id = t.id AND s.snapshot_date <= d.day
        ORDER BY s.snapshot_date DESC
        LIMIT 1
    ) AS p ON true
    GROUP BY t.repo_id
) AS shown;

-- name: pace
-- What a forecast is made of, for one target or (repo_id null) for all that are enabled: features that are still to pass,
-- those that were first seen passing in the last 7 days and still pass (what passed before acd looked the first time is
-- nobody's progress), and since when that is: 7 days ago, or the start of the first session where that is later; null
-- when there was none. Gives one JSON object.
WITH target AS MATERIALIZED (
    SELECT id, total_features, passing_features
    FROM targets
    WHERE CASE WHEN %(repo_id)s::text IS NULL THEN enabled ELSE repo_id = %(repo_id)s END
), begun AS (
    SELECT min(started_at) AS first
    FROM (
        SELECT (SELECT s.started_at FROM harness_sessions s WHERE s.target_id = t.id ORDER BY s.started_at, s.id LIMIT 1)
        FROM target t
    ) AS each (started_at)
)
SELECT json_build_object(
    'remaining', (SELECT coalesce(sum(total_features - passing_features), 0) FROM target),
    'gained', (SELECT count(*) FROM target_features f JOIN target t ON t.id = f.target_id
               WHERE f.status = 'passing' AND f.implemented_at >= now() - interval '7 days'
                 AND (f.session_id IS NOT NULL OR f.implemented_at > f.first_seen_at)),
    'since', (SELECT greatest(first, now() - interval '7 days') FROM begun WHERE first IS NOT NULL),
    'now', now());

-- name: passed_at
-- When the features that pass now were first seen passing, newest first, at most `limit`, of one target or (repo_id null)
-- of all: the burn-up of a day. Gives a JSON array of times.
SELECT coalesce(json_agg(shown.implemented_at), '[]')
FROM (
    SELECT f.implemented_at
    FROM target_features f JOIN targets t ON t.id = f.target_id
    WHERE f.status = 'passing' AND f.implemented_at IS NOT NULL
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
    ORDER BY f.implemented_at DESC
    LIMIT %(limit)s
) AS shown;
