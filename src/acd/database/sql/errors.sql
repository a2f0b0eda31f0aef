-- name: recent
-- Errors, newest first. Parameters: limit; after_at, after_id, the place behind which the page begins ('infinity' for
-- the first); resolved, type, repo_id, group (a `key` of `groups`), each null for "any". The two halves exclude each other, so that a target's
-- errors come from the target's own index. Gives a JSON array.
WITH picked AS (
    (SELECT e.*
     FROM harness_errors e
     WHERE %(repo_id)s::text IS NULL
       AND (e.occurred_at, e.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
       AND (%(resolved)s::boolean IS NULL OR e.resolved = %(resolved)s)
       AND (%(type)s::text IS NULL OR e.error_type = %(type)s)
       AND (%(group)s::text IS NULL OR md5(e.error_type || ' ' || e.message_shape) = %(group)s)
     ORDER BY e.occurred_at DESC, e.id DESC
     LIMIT %(limit)s::bigint)
    UNION ALL
    (SELECT e.*
     FROM harness_errors e
     WHERE %(repo_id)s::text IS NOT NULL
       AND e.target_id = (SELECT id FROM targets WHERE repo_id = %(repo_id)s)
       AND (e.occurred_at, e.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
       AND (%(resolved)s::boolean IS NULL OR e.resolved = %(resolved)s)
       AND (%(type)s::text IS NULL OR e.error_type = %(type)s)
       AND (%(group)s::text IS NULL OR md5(e.error_type || ' ' || e.message_shape) = %(group)s)
     ORDER BY e.occurred_at DESC, e.id DESC
     LIMIT %(limit)s::bigint)
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT e.id, e.target_id AS "targetId", e.session_id AS "sessionId",
           (SELECT s.session_number FROM harness_sessions s
            WHERE s.target_id = e.target_id AND s.id = e.session_id) AS "sessionNumber",
           e.error_type AS "errorType", e.error_code AS "errorCode", e.message, e.stack_trace AS "stackTrace",
           e.context, e.attempt, e.retryable, e.resolved, e.resolved_at AS "resolvedAt",
           e.occurred_at AS "occurredAt", json_build_object('name', t.name, 'repoId', t.repo_id) AS target
    FROM picked e
    JOIN targets t ON t.id = e.target_id
    ORDER BY e.occurred_at DESC, e.id DESC
) AS shown;

-- name: resolve
-- Mark an error as resolved; one that is keeps its time. Gives the error as `recent` does; no row when there is none.
WITH done AS (
    UPDATE harness_errors SET resolved = true, resolved_at = coalesce(resolved_at, now())
    WHERE id = %(id)s::uuid
    RETURNING *
)
SELECT to_json(shown)
FROM (
    SELECT e.id, e.target_id AS "targetId", e.session_id AS "sessionId",
           (SELECT s.session_number FROM harness_sessions s
            WHERE s.target_id = e.target_id AND s.id = e.session_id) AS "sessionNumber",
           e.error_type AS "errorType", e.error_code AS "errorCode", e.message, e.stack_trace AS "stackTrace",
           e.context, e.attempt, e.retryable, e.resolved, e.resolved_at AS "resolvedAt",
           e.occurred_at AS "occurredAt", json_build_object('name', t.name, 'repoId', t.repo_id) AS target
    FROM done e
    JOIN targets t ON t.id = e.target_id
) AS shown;

-- name: groups
-- Errors of the last `days` days (today included, days of the database's time zone) by type and by what their messages
-- have in common; resolved, type, repo_id, group, each null for "any". What waits for a person comes first, then what
-- happened most; at most `limit` groups. `byDay` has a number a day, oldest first. Gives a JSON array.
WITH chosen AS MATERIALIZED (
    SELECT e.target_id, e.session_id, e.id, e.error_type, e.message_shape AS shape, e.message, e.resolved, e.occurred_at
    FROM harness_errors e
    WHERE e.occurred_at >= (current_date - %(days)s::integer + 1)::timestamptz
      AND (%(resolved)s::boolean IS NULL OR e.resolved = %(resolved)s)
      AND (%(type)s::text IS NULL OR e.error_type = %(type)s)
      AND (%(repo_id)s::text IS NULL OR e.target_id = (SELECT id FROM targets WHERE repo_id = %(repo_id)s))
      AND (%(group)s::text IS NULL OR md5(e.error_type || ' ' || e.message_shape) = %(group)s)
), by_target AS (
    SELECT error_type, shape, target_id, count(*) AS errors FROM chosen GROUP BY error_type, shape, target_id
), by_day AS (
    SELECT error_type, shape, occurred_at::date AS day, count(*) AS errors FROM chosen GROUP BY 1, 2, 3
), latest AS (
    SELECT DISTINCT ON (error_type, shape) error_type, shape, message, session_id
    FROM chosen
    ORDER BY error_type, shape, occurred_at DESC, id DESC
), grouped AS (
    SELECT error_type, shape, count(*) AS errors, count(*) FILTER (WHERE NOT resolved) AS unresolved,
           count(DISTINCT session_id) AS sessions, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen
    FROM chosen
    GROUP BY error_type, shape
    ORDER BY (count(*) FILTER (WHERE NOT resolved) = 0), count(*) DESC, max(occurred_at) DESC, error_type, shape
    LIMIT %(limit)s::bigint
)
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT md5(g.error_type || ' ' || g.shape) AS key, g.error_type AS "errorType", g.shape, l.message,
           g.errors, g.unresolved, g.sessions, g.first_seen AS "firstSeenAt", g.last_seen AS "lastSeenAt",
           l.session_id AS "lastSessionId",
           (SELECT json_agg(json_build_object(
                'target', json_build_object('name', t.name, 'repoId', t.repo_id), 'errors', b.errors)
                ORDER BY b.errors DESC, t.repo_id)
            FROM by_target b JOIN targets t ON t.id = b.target_id
            WHERE b.error_type = g.error_type AND b.shape = g.shape) AS targets,
           (SELECT json_agg(coalesce(b.errors, 0) ORDER BY d.day)
            FROM generate_series(current_date - %(days)s::integer + 1, current_date, interval '1 day') AS d (day)
            LEFT JOIN by_day b ON b.day = d.day::date AND b.error_type = g.error_type AND b.shape = g.shape) AS "byDay"
    FROM grouped g
    JOIN latest l ON l.error_type = g.error_type AND l.shape = g.shape
    ORDER BY g.unresolved = 0, g.errors DESC, g.last_seen DESC, g.error_type, g.shape
) AS shown;

-- name: resolve_group
-- Mark every error of a group (a `key` of `groups`) that is not resolved, whenever it happened; JSON of how many there
-- were.
WITH done AS (
    UPDATE harness_errors SET resolved = true, resolved_at = now()
    WHERE NOT resolved AND md5(error_type || ' ' || message_shape) = %(group)s
    RETURNING id
)
SELECT json_build_object('key', %(group)s::text, 'resolved', count(*)) FROM done;
