-- Where money went, for charts. Days are days of the database's time zone, both ends are inclusive.

-- name: over_time
-- What each model or target cost in each day, week or month (their first day), from the sums by target, model and day.
-- Parameters: split_by (model, target); step (day, week, month); from, to; repo_id, null for "any".
SELECT json_build_object(
    'from', %(from)s::date, 'to', %(to)s::date, 'step', %(step)s::text, 'splitBy', %(split_by)s::text,
    'rows', coalesce(json_agg(part ORDER BY part."firstDay" DESC, part."costUsd" DESC, part.key), '[]'))
FROM (
    SELECT date_trunc(%(step)s, u.day)::date AS "firstDay", coalesce(t.repo_id, u.model) AS key, max(t.name) AS name,
           sum(u.cost) AS "costUsd", sum(u.requests) AS requests, sum(u.unpriced) AS "unpricedRequests"
    FROM (
        SELECT m.usage_date AS day, CASE WHEN %(split_by)s = 'target' THEN m.target_id END AS target_id,
               CASE WHEN %(split_by)s <> 'target' THEN m.model END AS model,
               sum(m.cost_usd) AS cost, sum(m.request_count) AS requests, sum(m.unpriced_requests) AS unpriced
        FROM model_usage m JOIN targets t ON t.id = m.target_id
        WHERE m.usage_date BETWEEN %(from)s::date AND %(to)s::date
          AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
        GROUP BY 1, 2, 3
    ) AS u
    LEFT JOIN targets t ON t.id = u.target_id
    GROUP BY 1, 2
) AS part;

-- name: by_hour
-- What the sessions cost that began in each hour of each day of the week (1 is Monday). The hour in which a session began
-- and not those of its requests: sessions are a thirtieth of them and less. Parameters: from, to; repo_id, null for "any".
SELECT json_build_object(
    'from', %(from)s::date, 'to', %(to)s::date,
    'rows', coalesce(json_agg(begun ORDER BY begun.weekday, begun.hour), '[]'))
FROM (
    SELECT extract(isodow FROM s.quarter)::integer AS weekday, extract(hour FROM s.quarter)::integer AS hour,
           sum(s.sessions) AS sessions, sum(s.cost) AS "costUsd", sum(s.unpriced) AS "unpricedRequests"
    FROM (
        -- Quarters of an hour first: in every time zone hours begin with one, and there are fewer of them than of sessions.
        SELECT date_bin('15 minutes', b.started_at, '2000-01-01 00:00+00') AS quarter, count(*) AS sessions,
               sum(b.cost_usd) AS cost, sum(b.unpriced_requests) AS unpriced
        FROM harness_sessions b JOIN targets t ON t.id = b.target_id
        WHERE b.started_at >= %(from)s::date::timestamptz AND b.started_at < (%(to)s::date + 1)::timestamptz
          AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
        GROUP BY 1
    ) AS s
    GROUP BY 1, 2
) AS begun;
