-- name: recent
-- Errors, newest first. Parameters: limit; resolved, type, repo_id, each null for "any". Gives a JSON array.
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT e.id, e.target_id AS "targetId", e.session_id AS "sessionId",
           (SELECT s.session_number FROM harness_sessions s
            WHERE s.target_id = e.target_id AND s.id = e.session_id) AS "sessionNumber",
           e.error_type AS "errorType", e.error_code AS "errorCode", e.message, e.stack_trace AS "stackTrace",
           e.context, e.attempt, e.retryable, e.resolved, e.resolved_at AS "resolvedAt",
           e.occurred_at AS "occurredAt", json_build_object('name', t.name, 'repoId', t.repo_id) AS target
    FROM harness_errors e
    JOIN targets t ON t.id = e.target_id
    WHERE (%(resolved)s::boolean IS NULL OR e.resolved = %(resolved)s)
      AND (%(type)s::text IS NULL OR e.error_type = %(type)s)
      AND (%(repo_id)s::text IS NULL OR t.repo_id = %(repo_id)s)
    ORDER BY e.occurred_at DESC, e.id DESC
    LIMIT %(limit)s::bigint
) AS shown;
