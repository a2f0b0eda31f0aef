-- Workers on several machines: signs of life, and who works which target where.

-- name: renew
-- A worker's sign of life, good for so many seconds from now. Gives the targets that it holds, and whether workers of
-- other machines live.
WITH renewed AS (
    INSERT INTO workers AS w (id, host, pid, lease_until, left_targets)
    VALUES (%(id)s, %(host)s, %(pid)s, now() + make_interval(secs => %(seconds)s), %(left_targets)s::uuid[])
    ON CONFLICT (target_id, id) DO UPDATE SET lease_until = excluded.lease_until, left_targets = excluded.left_targets
    RETURNING w.id
)
SELECT ARRAY(SELECT p.target_id FROM target_places p WHERE p.worker_id = renewed.id) AS held,
       EXISTS (SELECT FROM workers o WHERE o.host <> %(host)s AND o.lease_until > now()) AS others
FROM renewed

-- name: resign
-- A worker ends in order: it holds nothing any more.
WITH freed AS (UPDATE target_places SET worker_id = NULL, begins = NULL WHERE worker_id = %(id)s)
DELETE FROM workers WHERE id = %(id)s

-- name: inherit
-- A worker of this machine died and another one is here: what that one held is this one's, unless another machine has
-- taken it over. Gives the targets.
WITH gone AS (DELETE FROM workers WHERE id = ANY(%(dead)s::uuid[]))
UPDATE target_places SET worker_id = %(id)s
WHERE worker_id = ANY(%(dead)s::uuid[])
RETURNING target_id

-- name: place
-- Where a target was worked last, whether somebody holds it whose lease is good, and whether its machine is at work and
-- has not left it to others.
SELECT p.host, p.folder, p.worker_id,
       EXISTS (SELECT FROM workers w WHERE w.id = p.worker_id AND w.lease_until > now()) AS held,
       EXISTS (SELECT FROM workers w
               WHERE w.host = p.host AND w.lease_until > now() AND NOT p.target_id = ANY (w.left_targets)) AS attended
FROM target_places p
WHERE p.target_id = %(target_id)s

-- name: take
-- Hold a target, if it still stands as it was seen: by whom it was held, and that this one's lease is over (or that the
-- worker is known to be dead). Gives no row when somebody was faster.
INSERT INTO target_places AS p (target_id, host, folder, cloned, worker_id)
VALUES (%(target_id)s, %(host)s, %(folder)s, %(cloned)s, %(worker_id)s)
ON CONFLICT (target_id) DO UPDATE SET
    host = excluded.host, folder = excluded.folder, cloned = excluded.cloned, worker_id = excluded.worker_id,
    begins = NULL, since = now()
WHERE p.worker_id IS NOT DISTINCT FROM %(seen)s
  AND (%(dead)s OR p.worker_id IS NULL OR p.worker_id = excluded.worker_id
       OR NOT EXISTS (SELECT FROM workers w WHERE w.id = p.worker_id AND w.lease_until > now()))
RETURNING p.target_id

-- name: release
-- Hold some targets no longer.
UPDATE target_places SET worker_id = NULL, begins = NULL
WHERE target_id = ANY(%(target_ids)s::uuid[]) AND worker_id = %(id)s

-- name: elsewhere
-- Which of these targets another machine works now, or worked last.
SELECT target_id FROM target_places WHERE target_id = ANY(%(target_ids)s::uuid[]) AND host <> %(host)s

-- name: left_by_all
-- Targets that no worker that lives can work where it is, and what they wait for.
SELECT target_id, reason FROM waiting_for_a_machine

-- name: presume_interrupted
-- Sessions of dead workers of other machines show as interrupted, until their own machine says what became of them.
UPDATE harness_sessions s
SET status = 'failed', error_type = 'interrupted', presumed_at = now(),
    error_message = format('%%s gives no sign of life; what is not recorded yet follows when it is back', s.host),
    finished_at = coalesce(s.last_event_at, s.started_at),
    duration_ms = (extract(epoch FROM (coalesce(s.last_event_at, s.started_at) - s.started_at)) * 1000)::bigint,
    updated_at = now()
FROM target_places p
WHERE s.target_id = p.target_id AND s.host = p.host AND s.status = 'running' AND s.origin = 'harness'
  AND p.host <> %(host)s AND p.worker_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM workers w WHERE w.id = p.worker_id AND w.lease_until > now())
RETURNING s.id

-- name: still_running
-- Sessions that showed as interrupted run on: their machine is back and they are still attended.
UPDATE harness_sessions
SET status = 'running', error_type = NULL, error_message = NULL, presumed_at = NULL, finished_at = NULL,
    duration_ms = NULL, updated_at = now()
WHERE id = ANY(%(ids)s::uuid[]) AND presumed_at IS NOT NULL
