-- Entries of stores are counted with their sessions: each store is read once more, from its beginning.
-- Who sold a request is among what its price depends on.
-- Plain SQL that runs on PostgreSQL 15.

COMMENT ON COLUMN token_usage_details.price_terms IS 'Words of batch, fast and us, in this order: made in a batch, in fast mode, within the US; empty for what is usual. A first word from:PROVIDER says who sold it, where the agent asks more than one';

DELETE FROM left_out_lines
WHERE target_id = '00000000-0000-0000-0000-000000000000' AND session_id = '00000000-0000-0000-0000-000000000000'
  AND (host, name) IN (SELECT host, name FROM ledger_files WHERE mtime_ns IS NOT NULL);

UPDATE ledger_files SET mtime_ns = 0, seen = '{}', lines_read = 0, lines_left_out = 0
WHERE target_id = '00000000-0000-0000-0000-000000000000' AND session_id = '00000000-0000-0000-0000-000000000000'
  AND mtime_ns IS NOT NULL;
