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
), pairs AS MATERIALIZED (
    SELECT target_id, model FROM chosen GROUP BY target_id, model
), compared AS MATERIALIZED (
    SELECT target_id FROM pairs
    GROUP BY target_id
    HAVING NOT %(same_targets)s::boolean OR count(*) = (SELECT count(DISTINCT model) FROM pairs)
), counted AS MATERIALIZED (
    SELECT c.* FROM chosen c WHERE c.target_id IN (SELECT target_id FROM compared)
), worked AS (
    SELECT model, count(*) AS targets FROM pairs WHERE target_id IN (SELECT target_id FROM compared) GROUP BY model
), summed AS MATERIALIZED (
    SELECT model, count(*) AS sessions, count(duration_ms) AS timed,
           count(*) FILTER (WHERE status = 'completed') AS completed, sum(features) AS features,
           sum(features * features) AS "featuresSquared", sum(cost) AS cost, sum(cost * cost) AS "costSquared",
           sum(cost * features) AS "costByFeatures", sum(cost_usd) AS "costUsd",
           sum(unpriced_requests) AS "unpricedRequests"
    FROM counted GROUP BY model
), placed AS (
    SELECT r.*, s.timed, floor((s.timed - 1.96 * sqrt(s.timed::double precision)) / 2)::bigint AS low
    FROM (SELECT model, duration_ms, row_number() OVER (PARTITION BY model ORDER BY duration_ms) AS place
          FROM counted WHERE duration_ms IS NOT NULL) AS r
    JOIN summed s USING (model)
), durations AS (
    -- The middle one, or the mean of the two in the middle: what percentile_cont gives, without another sort.
    SELECT model, avg(duration_ms) FILTER (WHERE place IN ((timed + 1) / 2, (timed + 2) / 2))::double precision AS median,
           max(duration_ms) FILTER (WHERE place = low) AS low,
           max(duration_ms) FILTER (WHERE low > 0 AND place = timed + 1 - low) AS high
    FROM placed GROUP BY model
)
SELECT json_build_object(
    'targets', (SELECT coalesce(json_agg(json_build_object('name', t.name, 'repoId', t.repo_id)
                                         ORDER BY t.priority, t.repo_id), '[]')
                FROM targets t JOIN compared ON compared.target_id = t.id),
    'models', (SELECT coalesce(json_agg(told ORDER BY told.sessions DESC, told.model), '[]')
               FROM (SELECT s.*, w.targets, d.median, d.low, d.high
                     FROM summed s JOIN worked w USING (model) LEFT JOIN durations d USING (model)) AS told));
