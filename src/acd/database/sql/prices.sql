-- Prices that a person set, and requests priced anew.

-- name: overrides
-- Prices set by hand, by model and day from which they hold, as a JSON array. USD for a million tokens; web search for one.
SELECT coalesce(json_agg(shown), '[]')
FROM (
    SELECT model, provider, valid_from AS "validFrom", input, output, cache_read AS "cacheRead",
           cache_write_5m AS "cacheWrite5m", cache_write_1h AS "cacheWrite1h", web_search AS "webSearch", set_at AS "setAt"
    FROM price_overrides
    ORDER BY model, provider, valid_from
) AS shown;

-- name: put_override
-- A price set by hand; one that begins on the same day is replaced.
INSERT INTO price_overrides (model, provider, valid_from, input, output, cache_read, cache_write_5m, cache_write_1h, web_search)
VALUES (%(model)s, %(provider)s, %(valid_from)s, %(input)s, %(output)s, %(cache_read)s, %(cache_write_5m)s,
        %(cache_write_1h)s, %(web_search)s)
ON CONFLICT (target_id, model, provider, valid_from) DO UPDATE SET
    input = excluded.input, output = excluded.output, cache_read = excluded.cache_read,
    cache_write_5m = excluded.cache_write_5m, cache_write_1h = excluded.cache_write_1h,
    web_search = excluded.web_search, set_at = now();

-- name: drop_overrides
-- Prices set by hand that hold no longer: those of a model, of one provider (null: any), from one day (null: any).
DELETE FROM price_overrides
WHERE model = %(model)s AND (%(provider)s::text IS NULL OR provider = %(provider)s)
  AND (%(valid_from)s::date IS NULL OR valid_from = %(valid_from)s);

-- name: sessions_with
-- Sessions with requests since a time (null: any) of a model (null: any; also with a date or a context mark behind its name, as `ledger.price` knows them), in the order in which targets are locked.
SELECT h.target_id, h.id AS session_id, h.agent
FROM harness_sessions h
WHERE EXISTS (SELECT FROM token_usage_details u
              WHERE u.target_id = h.target_id AND u.session_id = h.id AND u.is_request
                AND (%(since)s::timestamptz IS NULL OR u.requested_at >= %(since)s::timestamptz)
                AND (%(model)s::text IS NULL OR starts_with(u.model, %(model)s)
                     AND substr(u.model, length(%(model)s) + 1) ~ '^(-20[0-9]{6})?([[][0-9]+[mk][]])?$'))
ORDER BY h.target_id, h.id;

-- name: requests_of
-- Such requests of one session, with the price that they have.
SELECT request_key, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_5m_tokens,
       cache_write_1h_tokens, reasoning_tokens, web_searches, cost_usd, price_source, price_date, price_terms, requested_at
FROM token_usage_details
WHERE target_id = %(target_id)s AND session_id = %(session_id)s AND is_request
  AND (%(since)s::timestamptz IS NULL OR requested_at >= %(since)s::timestamptz)
  AND (%(model)s::text IS NULL OR starts_with(model, %(model)s)
       AND substr(model, length(%(model)s) + 1) ~ '^(-20[0-9]{6})?([[][0-9]+[mk][]])?$');

-- name: keep_changes
-- What requests cost before, and what they cost from now on: one row a request and change.
INSERT INTO price_changes (target_id, request_key, session_id, old_cost_usd, old_source, old_date, new_cost_usd, new_source,
                           new_date)
SELECT d.target_id, d.request_key, d.session_id, d.cost_usd, d.price_source, d.price_date, r.cost_usd, r.price_source,
       r.price_date
FROM json_to_recordset(%(rows)s::json) AS r (request_key text, cost_usd numeric, price_source text, price_date date)
JOIN token_usage_details d ON d.target_id = %(target_id)s AND d.request_key = r.request_key;

-- name: change
-- The new prices of these requests.
UPDATE token_usage_details d
SET cost_usd = r.cost_usd, price_source = r.price_source, price_date = r.price_date
FROM json_to_recordset(%(rows)s::json) AS r (request_key text, cost_usd numeric, price_source text, price_date date)
WHERE d.target_id = %(target_id)s AND d.request_key = r.request_key;
