-- name: files_of_host
-- How far every file of this host has been read, and how many seconds ago that was: to find in one look what is still
-- to be done. Journals that belong to no session have the session id zero.
SELECT target_id, session_id, name, read_offset, extract(epoch FROM now() - updated_at)::double precision AS age_s
FROM ledger_files
WHERE host = %(host)s;
