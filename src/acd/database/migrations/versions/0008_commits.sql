-- The newest commits of all targets, without looking at all of them.
CREATE INDEX harness_commits_latest ON harness_commits (committed_at DESC, sha);
