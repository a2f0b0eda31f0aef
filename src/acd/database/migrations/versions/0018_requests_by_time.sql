-- Sums of a time by the requests themselves (`acd usage`, `acd report`, the status line) without reading the whole ledger.
-- A block-range index costs next to nothing while recording, which is nearly in the order of time.
CREATE INDEX token_usage_details_time ON token_usage_details USING brin (requested_at) WITH (pages_per_range = 32, autosummarize = on);
