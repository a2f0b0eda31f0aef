-- Which session the worker of a target begins, so that those that begin at one moment see each other.
-- Plain SQL that runs on PostgreSQL 15.

ALTER TABLE target_places ADD COLUMN begins integer;
COMMENT ON COLUMN target_places.begins IS 'Number of the session that its worker begins or has begun; counts while that is not recorded';
