-- Roll-ups: always recomputed from the rows below them, never counted up, under the lock of their target.
-- A day is a day in the database's own time zone, which is why no zone is named here.

-- name: session_usage
-- Ledger rows of a session summed by model and day. Returns the days that it touches or no longer touches.
WITH fresh AS (
    SELECT model, requested_at::date AS usage_date, sum(input_tokens)::bigint AS input_tokens,
           sum(output_tokens)::bigint AS output_tokens, sum(cache_read_tokens)::bigint AS cache_read_tokens,
           sum(cache_write_tokens)::bigint AS cache_write_tokens, coalesce(sum(cost_usd), 0) AS cost_usd,
           (count(*) FILTER (WHERE cost_usd IS NULL))::integer AS unpriced_requests,
           (count(*) FILTER (WHERE is_request))::integer AS request_count
    FROM token_usage_details
    WHERE target_id = %(target_id)s AND session_id = %(session_id)s
    GROUP BY model, requested_at::date
), gone AS (
    DELETE FROM session_usage u
    WHERE u.target_id = %(target_id)s AND u.session_id = %(session_id)s
      AND NOT EXISTS (SELECT FROM fresh f WHERE (f.model, f.usage_date) = (u.model, u.usage_date))
    RETURNING u.usage_date
), put AS (
    INSERT INTO session_usage (target_id, session_id, model, usage_date, input_tokens, output_tokens,
                               cache_read_tokens, cache_write_tokens, cost_usd, unpriced_requests, request_count)
    SELECT %(target_id)s, %(session_id)s, f.* FROM fresh f
    ON CONFLICT (target_id, session_id, model, usage_date) DO UPDATE SET
        input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
        cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
        cost_usd = excluded.cost_usd, unpriced_requests = excluded.unpriced_requests,
        request_count = excluded.request_count
    RETURNING usage_date
)
SELECT usage_date FROM gone UNION SELECT usage_date FROM put;

-- name: session_totals
-- The session's own columns, from its sums.
UPDATE harness_sessions s
SET input_tokens = u.input_tokens, output_tokens = u.output_tokens, cache_read_tokens = u.cache_read_tokens,
    cache_write_tokens = u.cache_write_tokens, cost_usd = u.cost_usd, unpriced_requests = u.unpriced_requests,
    request_count = u.request_count, cost_gap_usd = s.reported_cost_usd - u.cost_usd,
    cache_hit_rate = u.cache_read_tokens::double precision
                     / nullif(u.input_tokens + u.cache_read_tokens + u.cache_write_tokens, 0),
    updated_at = now()
FROM (SELECT coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
             coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
             coalesce(sum(cache_read_tokens), 0)::bigint AS cache_read_tokens,
             coalesce(sum(cache_write_tokens), 0)::bigint AS cache_write_tokens,
             coalesce(sum(cost_usd), 0) AS cost_usd, coalesce(sum(unpriced_requests), 0)::integer AS unpriced_requests,
             coalesce(sum(request_count), 0)::integer AS request_count
      FROM session_usage WHERE target_id = %(target_id)s AND session_id = %(session_id)s) AS u
WHERE s.target_id = %(target_id)s AND s.id = %(session_id)s;

-- name: session_counts
-- Retries, fallbacks and commits of a session, from the rows that tell them.
UPDATE harness_sessions s
SET retry_count = (SELECT count(*) FROM harness_errors e WHERE e.target_id = s.target_id AND e.session_id = s.id
                   AND e.context->>'origin' = 'retry'),
    model_fallbacks = (SELECT count(*) FROM session_events e WHERE e.target_id = s.target_id
                       AND e.session_id = s.id AND e.kind = 'model_fallback'),
    commits_made = CASE WHEN s.origin = 'api' THEN s.commits_made ELSE
                   (SELECT count(*) FROM harness_commits c
                    WHERE c.target_id = s.target_id AND c.session_id = s.id) END
WHERE s.target_id = %(target_id)s AND s.id = %(session_id)s;

-- name: model_usage
-- Tokens and cost of a target by model on the days given.
WITH fresh AS (
    SELECT model, usage_date, sum(input_tokens)::bigint AS input_tokens, sum(output_tokens)::bigint AS output_tokens,
           sum(cache_read_tokens)::bigint AS cache_read_tokens, sum(cache_write_tokens)::bigint AS cache_write_tokens,
           sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens)::bigint AS total_tokens,
           sum(cost_usd) AS cost_usd, sum(request_count)::integer AS request_count,
           count(*)::integer AS session_count, sum(unpriced_requests)::integer AS unpriced_requests
    FROM session_usage
    WHERE target_id = %(target_id)s AND usage_date = ANY(%(days)s::date[])
    GROUP BY model, usage_date
), gone AS (
    DELETE FROM model_usage m
    WHERE m.target_id = %(target_id)s AND m.usage_date = ANY(%(days)s::date[])
      AND NOT EXISTS (SELECT FROM fresh f WHERE (f.model, f.usage_date) = (m.model, m.usage_date))
)
INSERT INTO model_usage (target_id, model, usage_date, input_tokens, output_tokens, cache_read_tokens,
                         cache_write_tokens, total_tokens, cost_usd, request_count, session_count,
                         unpriced_requests)
SELECT %(target_id)s, f.* FROM fresh f
ON CONFLICT (target_id, model, usage_date) DO UPDATE SET
    input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
    total_tokens = excluded.total_tokens, cost_usd = excluded.cost_usd, request_count = excluded.request_count,
    session_count = excluded.session_count, unpriced_requests = excluded.unpriced_requests;

-- name: snapshots
-- The target's days: sessions begun, tokens and cost spent, requests without a known price. Feature counts of a day that is already there stay as
-- they are; a new day begins with those of the day before it.
INSERT INTO progress_snapshots (target_id, snapshot_date, total_features, passing_features, verified_features,
                                percent_complete, sessions_today, tokens_today, cost_today, unpriced_today)
SELECT %(target_id)s, d.day, coalesce(p.total_features, 0), coalesce(p.passing_features, 0),
       coalesce(p.verified_features, 0), coalesce(p.percent_complete, 0),
       (SELECT count(*) FROM harness_sessions s
        WHERE s.target_id = %(target_id)s AND s.started_at >= d.day::timestamptz
          AND s.started_at < (d.day + 1)::timestamptz),
       coalesce(m.tokens, 0), coalesce(m.cost, 0), coalesce(m.unpriced, 0)
FROM unnest(%(days)s::date[]) AS d (day)
LEFT JOIN LATERAL (SELECT sum(total_tokens)::bigint AS tokens, sum(cost_usd) AS cost,
                          sum(unpriced_requests)::integer AS unpriced
                   FROM model_usage u
                   WHERE u.target_id = %(target_id)s AND u.usage_date = d.day) AS m ON true
LEFT JOIN LATERAL (SELECT * FROM progress_snapshots b
                   WHERE b.target_id = %(target_id)s AND b.snapshot_date < d.day
                   ORDER BY b.snapshot_date DESC LIMIT 1) AS p ON true
ON CONFLICT (target_id, snapshot_date) DO UPDATE SET
    sessions_today = excluded.sessions_today, tokens_today = excluded.tokens_today, cost_today = excluded.cost_today,
    unpriced_today = excluded.unpriced_today;

-- name: snapshot_features
-- Feature counts of the day on which the list was looked at; a later look of the same day replaces an earlier one.
INSERT INTO progress_snapshots AS p (target_id, snapshot_date, total_features, passing_features, verified_features,
                                     percent_complete, features_at)
SELECT t.id, %(at)s::timestamptz::date, t.total_features, t.passing_features,
       (SELECT count(*) FROM target_features f
        WHERE f.target_id = t.id AND f.passes AND f.verified_at IS NOT NULL),
       t.percent_complete, %(at)s
FROM targets t WHERE t.id = %(target_id)s AND t.features_at = %(at)s
ON CONFLICT (target_id, snapshot_date) DO UPDATE SET
    total_features = excluded.total_features, passing_features = excluded.passing_features,
    verified_features = excluded.verified_features, percent_complete = excluded.percent_complete,
    features_at = excluded.features_at
WHERE p.features_at IS NULL OR p.features_at <= excluded.features_at;

-- name: snapshot_verified
-- How many features are verified on the day on which the list was last looked at, after the harness judged some.
UPDATE progress_snapshots p
SET verified_features = (SELECT count(*) FROM target_features f
                         WHERE f.target_id = t.id AND f.passes AND f.verified_at IS NOT NULL)
FROM targets t
WHERE t.id = %(target_id)s AND p.target_id = t.id AND p.snapshot_date = t.features_at::date
  AND p.features_at = t.features_at;

-- name: recompute_sessions
-- Every session's sums anew, after the meaning of a day has changed (`acd db timezone`).
WITH fresh AS (
    SELECT target_id, session_id, model, requested_at::date AS usage_date, sum(input_tokens)::bigint AS input_tokens,
           sum(output_tokens)::bigint AS output_tokens, sum(cache_read_tokens)::bigint AS cache_read_tokens,
           sum(cache_write_tokens)::bigint AS cache_write_tokens, coalesce(sum(cost_usd), 0) AS cost_usd,
           (count(*) FILTER (WHERE cost_usd IS NULL))::integer AS unpriced_requests,
           (count(*) FILTER (WHERE is_request))::integer AS request_count
    FROM token_usage_details GROUP BY target_id, session_id, model, requested_at::date
), gone AS (
    DELETE FROM session_usage u WHERE NOT EXISTS (
        SELECT FROM fresh f WHERE (f.target_id, f.session_id, f.model, f.usage_date)
                                = (u.target_id, u.session_id, u.model, u.usage_date))
)
INSERT INTO session_usage SELECT * FROM fresh
ON CONFLICT (target_id, session_id, model, usage_date) DO UPDATE SET
    input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
    cost_usd = excluded.cost_usd, unpriced_requests = excluded.unpriced_requests,
    request_count = excluded.request_count;

-- name: days_of_target
-- Every day on which anything of a target stands or should stand.
SELECT day FROM (
    SELECT usage_date AS day FROM session_usage WHERE target_id = %(target_id)s
    UNION SELECT usage_date FROM model_usage WHERE target_id = %(target_id)s
    UNION SELECT snapshot_date FROM progress_snapshots WHERE target_id = %(target_id)s
    UNION SELECT started_at::date FROM harness_sessions WHERE target_id = %(target_id)s
) AS days ORDER BY day;

-- name: target_ids
-- All targets, in the order in which they are locked.
SELECT id FROM targets ORDER BY id;

-- name: day_of
-- The day of a time, in the database's own time zone.
SELECT %(at)s::timestamptz::date AS day;
