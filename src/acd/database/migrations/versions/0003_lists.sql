-- Lists that are read page by page while they are written need a place for every row that never changes.
-- `requested_at` may: of a request that is met again in another file the earlier time counts, and the row for what an
-- agent reports beyond its requests moves with its reports. `listed_at` is the time as it was first recorded.
ALTER TABLE token_usage_details ADD COLUMN listed_at timestamptz;
UPDATE token_usage_details SET listed_at = requested_at;
ALTER TABLE token_usage_details ALTER COLUMN listed_at SET NOT NULL;
COMMENT ON COLUMN token_usage_details.listed_at IS 'requested_at as first recorded: the place in lists, which never changes';

-- A default cannot name another column; a generated column would follow requested_at.
CREATE FUNCTION acd_first_listed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.listed_at := NEW.requested_at;
    RETURN NEW;
END $$;
CREATE TRIGGER listed BEFORE INSERT ON token_usage_details
FOR EACH ROW WHEN (NEW.listed_at IS NULL) EXECUTE FUNCTION acd_first_listed();

DROP INDEX token_usage_details_newest;
CREATE INDEX token_usage_details_newest ON token_usage_details (listed_at DESC, request_key DESC);
CREATE INDEX token_usage_details_by_target ON token_usage_details (target_id, listed_at DESC, request_key DESC);

-- Requests without a known price are counted in every report; nearly all rows have none.
CREATE INDEX session_usage_unpriced ON session_usage (target_id, usage_date, model) WHERE unpriced_requests > 0;
CREATE INDEX harness_errors_by_target ON harness_errors (target_id, occurred_at DESC, id DESC);
