-- What a request's price depends on beside model, day and tokens.
ALTER TABLE token_usage_details ADD COLUMN price_terms text NOT NULL DEFAULT '';
COMMENT ON COLUMN token_usage_details.price_terms IS 'Words of batch, fast and us, in this order: made in a batch, in fast mode, within the US; empty for what is usual';
