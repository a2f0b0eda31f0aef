-- How a session's account is billed: under a subscription its cost is what it would be at list price.
ALTER TABLE harness_sessions ADD COLUMN billing text CHECK (billing IN ('api', 'subscription'));
COMMENT ON COLUMN harness_sessions.billing IS 'By ACD_BILLING, else as the agent tells of its login; null: nobody told';
CREATE INDEX harness_sessions_subscribed ON harness_sessions (target_id, id) WHERE billing = 'subscription';
