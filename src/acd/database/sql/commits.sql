-- name: of_target
-- Commits made in sessions on the target repo_id, newest first, at most `limit`, from behind the place (after_at,
-- after_sha) on ('infinity' for the first page). An empty JSON array when there are none; no row when there is no such
-- target.
SELECT coalesce((
    SELECT json_agg(shown)
    FROM (
        SELECT c.sha, c.target_id AS "targetId", c.session_id AS "sessionId",
               (SELECT s.session_number FROM harness_sessions s
                WHERE s.target_id = c.target_id AND s.id = c.session_id) AS "sessionNumber",
               c.message, c.author, c.files_changed AS "filesChanged", c.additions, c.deletions, c.branch,
               c.committed_at AS "committedAt"
        FROM harness_commits c
        WHERE c.target_id = t.id
          AND c.committed_at <= %(after_at)s::timestamptz
          AND (c.committed_at < %(after_at)s::timestamptz OR c.sha > %(after_sha)s::text)
        ORDER BY c.committed_at DESC, c.sha
        LIMIT %(limit)s::bigint
    ) AS shown), '[]')
FROM targets t
WHERE t.repo_id = %(repo_id)s;
