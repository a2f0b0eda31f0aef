-- Targets that depend on others, and who holds a serial group.
-- Plain SQL that runs on PostgreSQL 15.

ALTER TABLE targets ADD COLUMN depends_on text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN targets.depends_on IS 'Ids in the queue file (repo_id) of the targets that must be complete first';

CREATE TABLE serial_group_leases (
    target_id    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    group_key    text NOT NULL,
    serial_group text NOT NULL,
    holder       text NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (target_id, group_key)
);
COMMENT ON TABLE serial_group_leases IS 'Which ACD_HOME works on a serial group, and until when unless it says so again; target_id is zero because a group has several targets';
COMMENT ON COLUMN serial_group_leases.group_key IS 'SHA-256 of the group''s name, which may be long';
