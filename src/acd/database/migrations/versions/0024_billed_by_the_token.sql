-- Every page with costs asks whether sessions are there that are billed by the token, beside those under a subscription.
CREATE INDEX harness_sessions_billed ON harness_sessions (target_id) WHERE billing IS DISTINCT FROM 'subscription';
