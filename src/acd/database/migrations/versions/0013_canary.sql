-- After a limit's reset one session goes first; the others wait until it has had an answer.

ALTER TABLE account_limits
    ADD COLUMN cleared_news timestamptz,
    ADD COLUMN canary_target uuid,
    ADD COLUMN canary_number integer,
    ADD COLUMN canary_until timestamptz;
COMMENT ON COLUMN account_limits.cleared_news IS 'The seen_at of the refusal that is known to be over: while it is another one, the limit holds';
COMMENT ON COLUMN account_limits.canary_target IS 'Whose next session goes first, from session canary_number on, until canary_until';
