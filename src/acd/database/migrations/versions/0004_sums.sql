-- Totals are read from sums by target and day, so that they cost the same at ten thousand and at a million sessions.
-- Requests without a known price were the one figure that had to be looked for below them.
ALTER TABLE model_usage ADD COLUMN unpriced_requests integer NOT NULL DEFAULT 0;
UPDATE model_usage m SET unpriced_requests = s.unpriced
FROM (SELECT target_id, model, usage_date, sum(unpriced_requests)::integer AS unpriced
      FROM session_usage WHERE unpriced_requests > 0 GROUP BY target_id, model, usage_date) AS s
WHERE (s.target_id, s.model, s.usage_date) = (m.target_id, m.model, m.usage_date);
DROP INDEX session_usage_unpriced;

ALTER TABLE progress_snapshots ADD COLUMN unpriced_today integer NOT NULL DEFAULT 0;
UPDATE progress_snapshots p SET unpriced_today = m.unpriced
FROM (SELECT target_id, usage_date, sum(unpriced_requests)::integer AS unpriced
      FROM model_usage WHERE unpriced_requests > 0 GROUP BY target_id, usage_date) AS m
WHERE (m.target_id, m.usage_date) = (p.target_id, p.snapshot_date);

-- Counted at every look, and few.
CREATE INDEX ledger_files_left_out ON ledger_files (lines_left_out) WHERE lines_left_out > 0;
CREATE INDEX target_features_verified ON target_features (target_id)
    WHERE status = 'passing' AND verified_at IS NOT NULL;
