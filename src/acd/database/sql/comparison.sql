-- name: models
-- What stands behind the comparison of models: coding sessions begun in a period (days of the database's time zone, both
-- included) that have ended. With same_targets only those of targets count on which each of the models worked. Sums of
-- squares and products are for intervals; a median's interval is between two ranks, which must exist.
-- Parameters: from, to; models, null for "any"; same_targets; repo_id, null for "any".
WITH chosen AS MATERIALIZED (
    SELECT s.target_id, s.model, s.status, coalesce(s.features_completed, 0)::double precision AS features, s.duration_ms,
           s.cost_usd, s.cost_usd::double precision AS cost, s.unpriced_requests
    FROM harness_sessions s JOIN targets t ON t.id = s.target_id
    WHERE s.started_at >= %(from)s::date::timestamptz AND s.started_at < (%(to)s::date + 1)::timestamptz
      AND s.status <> 'running' AND s.session_type = 'coding'
      AND (%(models)s::text[] IS NULL OR s.model = ANY (%(models)s))
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
), compared AS (
    SELECT target_id FROM chosen
    GROUP BY target_id
    HAVING NOT %(same_targets)s::boolean OR count(DISTINCT model) = (SELECT count(DISTINCT model) FROM chosen)
), counted AS MATERIALIZED (
    SELECT c.* FROM chosen c JOIN compared USING (target_id)
), ranked AS (
    SELECT model, duration_ms, row_number() OVER (PARTITION BY model ORDER BY duration_ms) AS place,
           count(*) OVER (PARTITION BY model) AS timed
    FROM counted WHERE duration_ms IS NOT NULL
), placed AS (
    SELECT *, floor((timed - 1.96 * sqrt(timed::double precision)) / 2)::bigint AS low FROM ranked
), durations AS (
    SELECT model, max(timed) AS timed, percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) AS median,
           max(duration_ms) FILTER (WHERE place = low) AS low,
           max(duration_ms) FILTER (WHERE low > 0 AND place = timed + 1 - low) AS high
    FROM placed GROUP BY model
), summed AS (
    SELECT model, count(*) AS sessions, count(DISTINCT target_id) AS targets,
           count(*) FILTER (WHERE status = 'completed') AS completed, sum(features) AS features,
           sum(features * features) AS "featuresSquared", sum(cost) AS cost, sum(cost * cost) AS "costSquared",
           sum(cost * features) AS "costByFeatures", sum(cost_usd) AS "costUsd",
           sum(unpriced_requests) AS "unpricedRequests"
    FROM counted GROUP BY model
)
SELECT json_build_object(
    'targets', (SELECT coalesce(json_agg(json_build_object('name', t.name, 'repoId', t.repo_id)
                                         ORDER BY t.priority, t.repo_id), '[]')
                FROM targets t JOIN compared ON compared.target_id = t.id),
    'models', (SELECT coalesce(json_agg(told ORDER BY told.sessions DESC, told.model), '[]')
               FROM (SELECT s.*, coalesce(d.timed, 0) AS timed, d.median, d.low, d.high
                     FROM summed s LEFT JOIN durations d USING (model)) AS told));
