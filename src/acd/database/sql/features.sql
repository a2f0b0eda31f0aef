-- name: of_target
-- Features of the target repo_id: what does not pass first, then by priority (lower first, none last), then in the
-- order of the list. Removed ones only when `removed` is true. An empty JSON array when the target has no list yet;
-- no row when there is no such target.
SELECT coalesce((
    SELECT json_agg(shown)
    FROM (
        SELECT f.target_id AS "targetId", f.feature_key AS "featureKey", f.name, f.description, f.category,
               f.priority, f.steps, f.status, f.passes, f.verified_at IS NOT NULL AS verified,
               f.verified_at AS "verifiedAt",
               CASE WHEN f.evidence IS NOT NULL THEN json_build_object(
                   'command', f.evidence ->> 'command', 'commit', f.evidence ->> 'commit',
                   'exitStatus', (f.evidence ->> 'exit_status')::integer,
                   'outputTail', coalesce(f.evidence ->> 'output_tail', ''),
                   'durationMs', coalesce((f.evidence ->> 'duration_ms')::integer, 0),
                   'reason', coalesce(f.evidence ->> 'reason', '')) END AS evidence,
               f.implemented_at AS "implementedAt",
               f.session_id AS "sessionId", f.position, f.first_seen_at AS "firstSeenAt",
               f.removed_at AS "removedAt", f.content_sha256 AS "contentSha256"
        FROM target_features f
        WHERE f.target_id = t.id AND (f.status <> 'removed' OR %(removed)s::boolean)
        ORDER BY f.status = 'passing', f.priority NULLS LAST, f.position, f.feature_key
    ) AS shown), '[]')
FROM targets t
WHERE t.repo_id = %(repo_id)s;

-- name: counted
-- How many features the list of a target holds, as far as it was recorded.
SELECT count(*) AS features FROM target_features WHERE target_id = %(target_id)s AND status <> 'removed'
