-- Features that a person leaves out.
-- Plain SQL that runs on PostgreSQL 15.

CREATE TABLE feature_skips (
    target_id   uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    feature_key text NOT NULL,
    skipped_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_id, feature_key)
);
COMMENT ON TABLE feature_skips IS 'Features that a person leaves out, whatever the feature list says of them';
