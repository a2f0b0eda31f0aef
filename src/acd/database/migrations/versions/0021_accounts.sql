-- Limits are a login's: two logins of one agent on one database do not hold each other back.
-- Plain SQL that runs on PostgreSQL 15.

ALTER TABLE harness_sessions ADD COLUMN account text NOT NULL DEFAULT '';
COMMENT ON COLUMN harness_sessions.account IS 'Which login of its agent it worked with, by a fingerprint; empty where that is not known';

ALTER TABLE account_limits
    ADD COLUMN account text NOT NULL DEFAULT '',
    DROP CONSTRAINT account_limits_pkey,
    ADD PRIMARY KEY (target_id, agent, account, limit_window);
COMMENT ON COLUMN account_limits.account IS 'As harness_sessions.account';
