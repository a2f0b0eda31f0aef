-- name: begin_session
-- What every pooled connection runs first: limits, generic plans (a LIMIT parameter is re-planned at every call
-- without), the database's own time zone; gives back the revision and the zone, so that a change is noticed.
SELECT
    (SELECT max(version_num) FROM acd_schema_version) AS revision,
    (SELECT value FROM acd_settings WHERE key = 'timezone') AS timezone,
    set_config('TimeZone', coalesce((SELECT value FROM acd_settings WHERE key = 'timezone'), 'UTC'), false),
    set_config('DateStyle', 'ISO, MDY', false),
    set_config('plan_cache_mode', 'force_generic_plan', false),
    set_config('statement_timeout', %(statement_timeout)s, false),
    set_config('idle_in_transaction_session_timeout', '60s', false)

-- name: moment
-- What a statement that begins now sees: which transactions have committed, on which day, on which run of the server.
-- Every transaction that writes anything has a number, and is either below the snapshot's upper end and not named as
-- open, or it is not seen; so two equal snapshots see the same rows. Numbers of another server begin elsewhere.
SELECT pg_current_snapshot()::text || ' ' || current_date || ' ' || pg_postmaster_start_time()

-- name: tables
-- Which of the tables that tell the state of a schema exist: neither before the first migration.
SELECT
    to_regclass('acd_schema_version') IS NOT NULL AS versioned,
    to_regclass('acd_settings') IS NOT NULL AS created

-- name: state
-- The revision of the schema and the time zone that the database counts days in.
SELECT
    (SELECT max(version_num) FROM acd_schema_version) AS revision,
    (SELECT value FROM acd_settings WHERE key = 'timezone') AS timezone

-- name: server
-- What a server says of itself and of the database, for `acd db status`.
SELECT
    current_setting('server_version') AS server_version,
    pg_database_size(current_database()) AS size_bytes,
    (SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()) AS clients

-- name: used
-- Whether anything was recorded.
SELECT EXISTS (SELECT FROM targets) AS used

-- name: database_name
-- The database we are in.
SELECT current_database() AS name

-- name: end_other_sessions
-- End all sessions of ours but this one, so that none goes on with an old time zone.
SELECT pg_terminate_backend(pid) AS ended
FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()

-- name: set_timezone
-- Store the zone in which a day is a day, and use it in this transaction too.
WITH stored AS (
    INSERT INTO acd_settings (key, value) VALUES ('timezone', %(zone)s)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
)
SELECT set_config('TimeZone', %(zone)s, true)

-- name: settle_events
-- After a restore: events whose transaction lies in this server's future are of the past.
UPDATE session_events SET txid = '3' WHERE txid >= pg_current_xact_id();

-- name: settle_requests
-- The same for requests.
UPDATE request_owners SET txid = '3' WHERE txid >= pg_current_xact_id();
