-- What messages of the same kind of error have in common, so that they can be counted together.
-- Plain SQL that runs on PostgreSQL 15.

-- The first line without what differs from case to case. Parts in angle brackets stand for what was there.
CREATE FUNCTION acd_message_shape(message text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN left(
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(split_part(ltrim(left(message, 2000), E' \t\r\n'), E'\n', 1),
                                   '"[^"]*"|`[^`]*`|(?<![[:alnum:]])''[^'']*''(?![[:alnum:]])', '<text>', 'g'),
                    '[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|\m(?=[0-9a-f]*[0-9])[0-9a-f]{7,64}\M', '<id>', 'g'),
                '(?<![[:alnum:]<])(~|\.{0,2})(/[[:alnum:]_.@+-]+){2,}/?', '<path>', 'g'),
            '[[:alpha:]]+_[0-9][[:alnum:]]{5,}', '<id>', 'g'),
        '[0-9]+([.,:][0-9]+)*', '<n>', 'g'),
    240);
COMMENT ON FUNCTION acd_message_shape IS 'What messages of the same kind of error have in common';

ALTER TABLE harness_errors ADD COLUMN message_shape text NOT NULL GENERATED ALWAYS AS (acd_message_shape(message)) STORED;
COMMENT ON COLUMN harness_errors.message_shape IS 'What its message has in common with others of its kind';
-- Few are not resolved; they are counted at every glance.
CREATE INDEX harness_errors_open ON harness_errors (occurred_at DESC, id DESC) WHERE NOT resolved;
