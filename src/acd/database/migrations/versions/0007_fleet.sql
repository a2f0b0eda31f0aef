-- Workers on several machines: who lives, and where each target is worked.
-- Plain SQL that runs on PostgreSQL 15.

ALTER TABLE targets ADD COLUMN clone text;
COMMENT ON COLUMN targets.clone IS 'What git clones it from on a machine where path does not exist';

CREATE TABLE workers (
    target_id    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id           uuid NOT NULL,
    host         text NOT NULL,
    pid          integer NOT NULL,
    lease_until  timestamptz NOT NULL,
    left_targets uuid[] NOT NULL DEFAULT '{}',
    started_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_id, id)
);
COMMENT ON TABLE workers IS 'Processes that work the queue; target_id is zero because they are about no target';
COMMENT ON COLUMN workers.lease_until IS 'Renewed while the worker lives. Once it is over, other machines may take over its targets';
COMMENT ON COLUMN workers.left_targets IS 'Targets that the worker left to others, because it cannot work them where it is';

CREATE TABLE target_places (
    target_id uuid PRIMARY KEY REFERENCES targets (id) ON DELETE CASCADE,
    host      text NOT NULL,
    folder    text NOT NULL,
    cloned    boolean NOT NULL,
    worker_id uuid,
    since     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE target_places IS 'Where a target was worked last, and by whom it is worked now';
COMMENT ON COLUMN target_places.worker_id IS 'Who works it now; null when it is between two turns. A dead worker stands here until somebody takes over';

-- A session whose machine is silent shows as interrupted. What really became of it comes when the machine is back.
ALTER TABLE harness_sessions ADD COLUMN presumed_at timestamptz;
COMMENT ON COLUMN harness_sessions.presumed_at IS 'Since when it only shows as interrupted because its machine gives no sign of life';

-- Targets that every worker that lives has left to others, with what they wait for: a machine that has their folder, or
-- the one whose worker died while it worked them.
CREATE VIEW waiting_for_a_machine AS
SELECT t.id AS target_id,
       coalesce(
           'waits for ' || p.host || ', which has its work and gives no sign of life; with `clone` in the queue file '
           || 'another machine could take it over',
           'waits for a machine that has ' || t.path || ', or for `clone` in the queue file') AS reason
FROM targets t
LEFT JOIN target_places p ON p.target_id = t.id AND p.worker_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM workers w WHERE w.id = p.worker_id AND w.lease_until > now())
WHERE t.enabled AND t.status IN ('pending', 'active') AND t.id IN (
    SELECT l.target_id FROM workers w CROSS JOIN LATERAL unnest(w.left_targets) AS l (target_id)
    WHERE w.lease_until > now()
    GROUP BY l.target_id
    HAVING count(*) = (SELECT count(*) FROM workers WHERE lease_until > now()));
COMMENT ON VIEW waiting_for_a_machine IS 'Targets that no worker that lives can work where it is, and what they wait for';
