-- History that agents left in their own folders.
-- Plain SQL that runs on PostgreSQL 15.

ALTER TABLE targets ADD COLUMN imported boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN targets.imported IS 'Made by an import for a repository that no queue file names';

ALTER TABLE harness_sessions ADD COLUMN copies boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN harness_sessions.copies IS 'Its files repeat requests of other sessions (a fork, a resumed copy): what its agent reports is not its own alone';

ALTER TABLE ledger_files
    ADD COLUMN mtime_ns bigint,
    ADD COLUMN tail_sha256 text,
    ADD COLUMN seen jsonb,
    ADD COLUMN told_offset bigint;
COMMENT ON COLUMN ledger_files.mtime_ns IS 'Set for a file of an agent''s own history, whose name is its path: when it was last changed, as it was read';
COMMENT ON COLUMN ledger_files.tail_sha256 IS 'Of the bytes before read_offset: a file that was rewritten is known by them';
COMMENT ON COLUMN ledger_files.seen IS 'What it tells of its session as a whole: first and last time, folder, branches';
COMMENT ON COLUMN ledger_files.told_offset IS 'Up to where the timeline shows it; null before somebody looked';
CREATE INDEX ledger_files_history ON ledger_files (host) WHERE mtime_ns IS NOT NULL;
