-- Limits of accounts: who goes first after a reset. All machines on the database ask here, so that one does.

-- name: clear
-- A limit is over once the session that went first had an answer to a request. Session numbers tell which one that is,
-- because clocks of machines differ. News without a reset may be what that very session met after its first answer: it is
-- over only where it is older than the session.
UPDATE account_limits l
SET cleared_news = l.seen_at, canary_target = NULL, canary_number = NULL, canary_until = NULL
WHERE l.agent = %(agent)s AND l.account = %(account)s AND l.canary_target IS NOT NULL
  AND EXISTS (SELECT FROM harness_sessions s
              WHERE s.target_id = l.canary_target AND s.session_number >= l.canary_number AND s.request_count > 0
                AND coalesce(l.resets_at <= now(), l.seen_at < s.started_at))

-- name: claim
-- Go first under these limits: all of them or none. `held` is how many still hold, `taken` how many of them are ours
-- now. Who claimed before keeps it until its time is over; a limit with a newer reset is not to be tried yet.
WITH held AS (
    SELECT l.target_id, l.agent, l.account, l.limit_window, l.resets_at, l.canary_target, l.canary_until
    FROM account_limits l
    WHERE l.agent = %(agent)s AND l.account = %(account)s AND l.limit_window = ANY(%(windows)s::text[])
      AND l.status = 'rejected'
      AND l.cleared_news IS DISTINCT FROM l.seen_at
    ORDER BY l.limit_window
    FOR UPDATE
), taken AS (
    UPDATE account_limits l
    SET canary_target = %(target_id)s, canary_number = %(number)s,
        canary_until = now() + make_interval(secs => %(lease_s)s::double precision)
    FROM held h
    WHERE (l.target_id, l.agent, l.account, l.limit_window) = (h.target_id, h.agent, h.account, h.limit_window)
      AND NOT EXISTS (SELECT FROM held o
                      WHERE o.resets_at > now()
                         OR (o.canary_target <> %(target_id)s AND o.canary_until > now()))
    RETURNING l.limit_window
)
SELECT (SELECT count(*) FROM held) AS held, (SELECT count(*) FROM taken) AS taken

-- name: refused
-- An account refused a session (429) and told neither window nor reset. So it did so many times since the last session that
-- it let be completed, over all targets: from the `enough`-th on that is a limit of the account, and each further one
-- doubles the wait.
WITH refused AS (
    SELECT count(*)::integer AS times
    FROM harness_sessions s
    WHERE s.agent = %(agent)s AND s.account = %(account)s AND s.origin = 'harness' AND s.error_type = 'rate_limit'
      AND s.finished_at > coalesce((
          SELECT max(g.finished_at) FROM harness_sessions g
          WHERE g.agent = %(agent)s AND g.account = %(account)s AND g.origin = 'harness' AND g.status = 'completed'),
          '-infinity')
)
INSERT INTO account_limits AS l (agent, account, limit_window, status, resets_at, seen_at)
SELECT %(agent)s, %(account)s, 'requests', 'rejected', now() + make_interval(secs => least(
           %(longest_s)s::double precision,
           %(first_s)s::double precision * 2 ^ least(times - %(enough)s::integer, 30))), now()
FROM refused
WHERE times >= %(enough)s::integer
ON CONFLICT (target_id, agent, account, limit_window) DO UPDATE SET
    status = excluded.status, resets_at = excluded.resets_at, seen_at = excluded.seen_at
RETURNING resets_at

-- name: release
-- The session that went first is over without an answer: the next one may try.
UPDATE account_limits SET canary_target = NULL, canary_number = NULL, canary_until = NULL
WHERE agent = %(agent)s AND account = %(account)s AND canary_target = %(target_id)s
