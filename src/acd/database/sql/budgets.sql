-- Budgets: what counts against them, from the ledger's sums, and which warnings were given. Only sessions that acd
-- works itself count; running ones are in with what they have used so far.

-- name: spent
-- What targets used in all, and what all targets used today and in all: a row a target, three JSON objects. Tokens and
-- cost of a day are those of requests made on it; wall time is the part of each session that lies in it.
WITH sessions AS MATERIALIZED (
    SELECT s.target_id, s.id, s.started_at, s.cost_usd AS usd, s.unpriced_requests AS unpriced,
           s.input_tokens + s.output_tokens + s.cache_read_tokens + s.cache_write_tokens AS tokens,
           greatest(coalesce(s.finished_at, now()), s.started_at) AS ended_at
    FROM harness_sessions s
    WHERE s.origin = 'harness'
), today AS (
    SELECT sum(u.usd) AS usd, sum(u.tokens) AS tokens, sum(u.unpriced) AS unpriced,
           count(*) FILTER (WHERE s.started_at >= current_date) AS sessions,
           sum(extract(epoch FROM s.ended_at - greatest(s.started_at, current_date::timestamptz))) AS seconds
    FROM sessions s
    LEFT JOIN LATERAL (
        SELECT sum(u.cost_usd) AS usd, sum(u.unpriced_requests) AS unpriced,
               sum(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens) AS tokens
        FROM session_usage u
        WHERE u.target_id = s.target_id AND u.session_id = s.id AND u.usage_date = current_date
    ) AS u ON true
    WHERE s.ended_at >= current_date
), ever AS (
    SELECT sum(usd) AS usd, sum(tokens) AS tokens, sum(unpriced) AS unpriced, count(*) AS sessions,
           sum(extract(epoch FROM ended_at - started_at)) AS seconds
    FROM sessions
), mine AS (
    SELECT target_id, sum(usd) AS usd, sum(tokens) AS tokens, sum(unpriced) AS unpriced, count(*) AS sessions,
           sum(extract(epoch FROM ended_at - started_at)) AS seconds
    FROM sessions
    WHERE %(ids)s::uuid[] IS NULL OR target_id = ANY(%(ids)s::uuid[])
    GROUP BY target_id
)
SELECT t.id AS target_id, (current_date + 1)::timestamptz AS next_day,
       jsonb_strip_nulls(jsonb_build_object('usd', mine.usd::text, 'tokens', mine.tokens, 'unpriced', mine.unpriced,
           'sessions', mine.sessions, 'seconds', mine.seconds)) AS target,
       jsonb_strip_nulls(jsonb_build_object('usd', today.usd::text, 'tokens', today.tokens, 'unpriced', today.unpriced,
           'sessions', today.sessions, 'seconds', today.seconds)) AS day,
       jsonb_strip_nulls(jsonb_build_object('usd', ever.usd::text, 'tokens', ever.tokens, 'unpriced', ever.unpriced,
           'sessions', ever.sessions, 'seconds', ever.seconds)) AS total
FROM targets t
CROSS JOIN today
CROSS JOIN ever
LEFT JOIN mine ON mine.target_id = t.id
WHERE %(ids)s::uuid[] IS NULL OR t.id = ANY(%(ids)s::uuid[])

-- name: lock_beginnings
-- Who counts sessions to begin one more does so alone, until the transaction is over.
SELECT pg_advisory_xact_lock(hashtext('acd_beginnings'))

-- name: begun
-- How many sessions were begun today and in all, with those of other targets that begin now and are not recorded yet.
SELECT recorded.today + unrecorded.n AS day, recorded.ever + unrecorded.n AS total
FROM (SELECT count(*) AS ever, count(*) FILTER (WHERE started_at >= current_date) AS today
      FROM harness_sessions WHERE origin = 'harness') AS recorded
CROSS JOIN (
    SELECT count(*) AS n
    FROM target_places p
    JOIN workers w ON w.id = p.worker_id AND w.lease_until > now()
    WHERE p.target_id <> %(target_id)s AND p.begins IS NOT NULL
      AND NOT EXISTS (SELECT FROM harness_sessions s WHERE s.target_id = p.target_id AND s.session_number >= p.begins)
) AS unrecorded

-- name: begin
-- The worker of a target begins a session of it.
UPDATE target_places SET begins = %(session_number)s WHERE target_id = %(target_id)s

-- name: of_sessions
-- The budgets of the targets of some sessions that run, and what each session itself used so far.
SELECT s.id AS session_id, s.target_id, t.repo_id, t.budget, current_date AS today,
       jsonb_build_object('usd', s.cost_usd::text, 'unpriced', s.unpriced_requests, 'sessions', 1,
           'tokens', s.input_tokens + s.output_tokens + s.cache_read_tokens + s.cache_write_tokens,
           'seconds', greatest(0, extract(epoch FROM now() - s.started_at))) AS session
FROM harness_sessions s
JOIN targets t ON t.id = s.target_id
WHERE s.id = ANY(%(sessions)s) AND s.status = 'running'
ORDER BY s.started_at, s.id

-- name: give_notice
-- Note that something is told about a budget; a row comes back only for who is the first to tell it. A bound that was
-- changed since is told of anew.
INSERT INTO budget_notices (target_id, subject, notice, bound, session_id, message)
VALUES (%(target_id)s, %(subject)s, %(notice)s, %(bound)s, %(session_id)s, %(message)s)
ON CONFLICT DO NOTHING
RETURNING noticed_at
