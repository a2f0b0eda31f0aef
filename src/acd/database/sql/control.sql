-- name: state
-- What the queue was told last, and when. One JSON object.
SELECT json_build_object('state', state, 'changedAt', changed_at) FROM queue_control

-- name: give_order
-- Tell the queue to run, pause, drain or stop, and wake whoever works. Orders are numbered under the row's lock, so that
-- none of them can be overtaken. Gives the new state as JSON.
WITH told AS (
    UPDATE queue_control SET
        state = %(state)s, orders = orders + 1, changed_at = now(),
        drain_order = CASE WHEN %(state)s = 'draining' THEN orders + 1 ELSE drain_order END,
        stop_order = CASE WHEN %(state)s = 'stopping' THEN orders + 1 ELSE stop_order END
    RETURNING state, changed_at
)
SELECT json_build_object('state', state, 'changedAt', changed_at), pg_notify('acd_control', '') FROM told

-- name: join
-- Somebody begins to work: earlier orders to drain or stop were for others, a pause is for everybody. Gives the number
-- of the last order.
UPDATE queue_control SET
    state = CASE WHEN state = 'paused' THEN state ELSE 'running' END,
    changed_at = CASE WHEN state IN ('draining', 'stopping') THEN now() ELSE changed_at END
RETURNING orders

-- name: orders_since
-- What somebody who began at an order has to do: hold back, drain, stop, and which of its sessions are to end.
SELECT state = 'paused' AS paused, drain_order > %(since)s AS drain, stop_order > %(since)s AS stop,
       ARRAY(SELECT session_id FROM session_stops WHERE session_id = ANY(%(sessions)s::uuid[])) AS sessions
FROM queue_control

-- name: session
-- Whether a session can be stopped: it runs, and it is one that acd works itself.
SELECT target_id, status, origin FROM harness_sessions WHERE id = %(id)s::uuid

-- name: stop_session
-- Ask for a session's end, and wake whoever works it. Asking again changes nothing. Gives the answer as JSON.
WITH asked AS (
    INSERT INTO session_stops (target_id, session_id) VALUES (%(target_id)s, %(id)s)
    ON CONFLICT (target_id, session_id) DO UPDATE SET session_id = excluded.session_id
    RETURNING session_id, requested_at
)
SELECT json_build_object('id', session_id, 'status', 'running', 'stopRequestedAt', requested_at),
       pg_notify('acd_control', '')
FROM asked
