-- Prices that a person set, and what requests cost before they were priced anew.
-- Plain SQL that runs on PostgreSQL 15.

CREATE TABLE price_overrides (
    target_id      uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    model          text NOT NULL,
    provider       text NOT NULL DEFAULT '',
    valid_from     date NOT NULL,
    input          numeric NOT NULL CHECK (input >= 0),
    output         numeric NOT NULL CHECK (output >= 0),
    cache_read     numeric NOT NULL CHECK (cache_read >= 0),
    cache_write_5m numeric NOT NULL CHECK (cache_write_5m >= 0),
    cache_write_1h numeric NOT NULL CHECK (cache_write_1h >= 0),
    web_search     numeric NOT NULL CHECK (web_search >= 0),
    set_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_id, model, provider, valid_from)
);
COMMENT ON TABLE price_overrides IS 'Prices that a person set, in USD for a million tokens (web_search: for one); target_id is zero because prices belong to no target';
COMMENT ON COLUMN price_overrides.provider IS 'Whose model it is; empty: whoever''s';

CREATE TABLE price_changes (
    target_id    uuid NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    request_key  text NOT NULL,
    changed_at   timestamptz NOT NULL DEFAULT now(),
    session_id   uuid NOT NULL,
    old_cost_usd numeric,
    old_source   text,
    old_date     date,
    new_cost_usd numeric,
    new_source   text,
    new_date     date,
    PRIMARY KEY (target_id, request_key, changed_at)
);
COMMENT ON TABLE price_changes IS 'What requests cost before `acd reprice` and after it; null is an unknown price';
