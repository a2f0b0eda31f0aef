-- name: recent
-- Errors, newest first. Parameters: limit; after_at, after_id, the place behind which the page begins ('infinity' for
-- the first); resolved, type, repo_id, each null for "any". The two halves exclude each other, so that a target's
-- errors come from the target's own index. Gives a JSON array.
WITH picked AS (
    (SELECT e.*
     FROM harness_errors e
     WHERE %(repo_id)s::text IS NULL
       AND (e.occurred_at, e.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
       AND (%(resolved)s::boolean IS NULL OR e.resolved = %(resolved)s)
       AND (%(type)s::text IS NULL OR e.error_type = %(type)s)
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
