-- What a monitoring system counts every few seconds, without reading the rows: failed sessions are few among many, and
-- errors are wide.
CREATE INDEX harness_sessions_failed ON harness_sessions (target_id) WHERE status = 'failed';
CREATE INDEX harness_errors_type ON harness_errors (error_type, resolved);
