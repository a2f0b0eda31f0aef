-- What the live stream pages by, and what running orchestrators are told.
-- Plain SQL that runs on PostgreSQL 15.

-- A request is told once, when it is first recorded: the transaction that made its owner's row never changes, whatever
-- session the request belongs to later. Rows from before have none and are not told.
ALTER TABLE request_owners ADD COLUMN txid xid8;
ALTER TABLE request_owners ALTER COLUMN txid SET DEFAULT pg_current_xact_id();
CREATE INDEX request_owners_live ON request_owners (txid) WHERE txid IS NOT NULL;

-- Across sessions, the stream is in the order of transactions, then of lines.
DROP INDEX session_events_live;
CREATE INDEX session_events_live ON session_events (txid, seq);

CREATE TABLE queue_control (
    target_id   uuid PRIMARY KEY DEFAULT '00000000-0000-0000-0000-000000000000',
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'draining', 'stopping')),
    orders      bigint NOT NULL DEFAULT 0,
    drain_order bigint NOT NULL DEFAULT 0,
    stop_order  bigint NOT NULL DEFAULT 0,
    changed_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE queue_control IS 'What the queue was told: one row; target_id is zero because it is about no target';
COMMENT ON COLUMN queue_control.orders IS 'How many orders there were. Who began to work at a number obeys those after it';
INSERT INTO queue_control DEFAULT VALUES;

CREATE TABLE session_stops (
    target_id    uuid NOT NULL,
    session_id   uuid NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_id, session_id),
    FOREIGN KEY (target_id, session_id) REFERENCES harness_sessions (target_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE session_stops IS 'Sessions that somebody asked to end; the machine that works one does it';
