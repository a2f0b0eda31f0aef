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
