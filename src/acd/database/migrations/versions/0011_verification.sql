-- What the harness saw when it checked a feature itself, with every such change, and when it last judged each feature.
ALTER TABLE feature_changes ADD COLUMN evidence jsonb;
COMMENT ON TABLE feature_changes IS 'Every change of every feature, from the journal line that tells it; evidence where the harness checked it';
ALTER TABLE target_features ADD COLUMN judged_at timestamptz;
CREATE INDEX feature_changes_session ON feature_changes (target_id, session_id);
