-- Where money went, for charts. Days are days of the database's time zone, both ends are inclusive.

-- name: over_time
-- What each model or target cost in each day, week or month (their first day), from the sums by target, model and day.
-- Parameters: split_by (model, target); step (day, week, month); from, to; repo_id, null for "any".
SELECT json_build_object(
    'from', %(from)s::date, 'to', %(to)s::date, 'step', %(step)s::text, 'splitBy', %(split_by)s::text,
    'rows', coalesce(json_agg(part ORDER BY part."firstDay" DESC, part."costUsd" DESC, part.key), '[]'))
FROM (
    SELECT date_trunc(%(step)s, u.usage_date)::date AS "firstDay",
           CASE WHEN %(split_by)s = 'target' THEN t.repo_id ELSE u.model END AS key,
           CASE WHEN %(split_by)s = 'target' THEN max(t.name) END AS name,
           sum(u.cost_usd) AS "costUsd", sum(u.request_count) AS requests,
           sum(u.unpriced_requests) AS "unpricedRequests"
    FROM model_usage u JOIN targets t ON t.id = u.target_id
    WHERE u.usage_date BETWEEN %(from)s::date AND %(to)s::date
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
    GROUP BY 1, 2
) AS part;

-- name: by_hour
-- What the sessions cost that began in each hour of each day of the week (1 is Monday). The hour in which a session began
-- and not those of its requests: sessions are a thirtieth of them and less. Parameters: from, to; repo_id, null for "any".
SELECT json_build_object(
    'from', %(from)s::date, 'to', %(to)s::date,
    'rows', coalesce(json_agg(begun ORDER BY begun.weekday, begun.hour), '[]'))
FROM (
    SELECT extract(isodow FROM s.started_at)::integer AS weekday, extract(hour FROM s.started_at)::integer AS hour,
           count(*) AS sessions, sum(s.cost_usd) AS "costUsd", sum(s.unpriced_requests) AS "unpricedRequests"
    FROM harness_sessions s JOIN targets t ON t.id = s.target_id
    WHERE s.started_at >= %(from)s::date::timestamptz AND s.started_at < (%(to)s::date + 1)::timestamptz
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
    GROUP BY 1, 2
) AS begun;
