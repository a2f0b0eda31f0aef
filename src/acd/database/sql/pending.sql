-- name: files_of_host
-- How far every file of this host has been read, and how many seconds ago that was: to find in one look what is still
-- to be done. Journals that belong to no session have the session id zero. Agents' own histories are not waited for.
SELECT target_id, session_id, name, read_offset, extract(epoch FROM now() - updated_at)::double precision AS age_s
FROM ledger_files
WHERE host = %(host)s AND mtime_ns IS NULL AND seen IS NULL;

-- name: files_of_folders
-- The same of some folders: ids of sessions, and of targets for journals that belong to no session. `ended`: nothing more
-- is expected of the session.
SELECT f.target_id, f.session_id, f.name, f.read_offset, extract(epoch FROM now() - f.updated_at)::double precision AS age_s,
       s.status <> 'running' AS ended
FROM harness_sessions s
JOIN ledger_files f ON f.target_id = s.target_id AND f.session_id = s.id AND f.host = %(host)s
WHERE s.id = ANY(%(ids)s::uuid[])
UNION ALL
SELECT f.target_id, f.session_id, f.name, f.read_offset, extract(epoch FROM now() - f.updated_at)::double precision, false
FROM ledger_files f
WHERE f.target_id = ANY(%(ids)s::uuid[]) AND f.session_id = '00000000-0000-0000-0000-000000000000' AND f.host = %(host)s;
