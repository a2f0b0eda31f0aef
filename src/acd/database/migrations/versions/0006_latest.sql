-- What the queue's page asks of every target at once: how many sessions the harness has worked there, and when the last
-- one ended.
CREATE INDEX harness_sessions_worked ON harness_sessions (target_id, finished_at) WHERE origin = 'harness';
-- Gaps between our price and what agents report are summed at every glance, and few.
CREATE INDEX harness_sessions_gap ON harness_sessions (cost_gap_usd) WHERE cost_gap_usd <> 0;
