"""What the queue is told while it is worked: pause, resume, drain, stop, and the end of one session.

Orders stand in the database and reach everybody who works it, on any machine, at once (NOTIFY) or with the next look:
who was cut off finds them when the database is back. A pause lasts until the queue is resumed, also for who begins
later; drain and stop are for those who work now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Literal
from uuid import UUID

from acd.core.errors import AcdError, DatabaseAway, DatabaseError
from acd.core.models import ErrorType
from acd.database.connection import Database
from acd.database.hearing import hearing
from acd.harness.stopping import StopSignal
from acd.queue.connector import patiently
from acd.queue.ending import Ending
from acd.queue.observer import Observer

QueueState = Literal["running", "paused", "draining", "stopping"]

Order = Literal["pause", "resume", "drain", "stop"]
STATES: Mapping[Order, QueueState] = {
    "pause": "paused",
    "resume": "running",
    "drain": "draining",
    "stop": "stopping",
}
"""What the queue is after each order."""

CHANNEL = "acd_control"
_LOOK_S = 2.0


class NoSuchSession(AcdError):
    """There is no such session."""


class NotStoppable(AcdError):
    """The session is over, or another program runs it."""


async def read_state(db: Database) -> bytes:
    """JSON of `state` and `changedAt`; errors as `Database.fetch_json`."""
    return _there(await db.fetch_json("control.state"))


async def give_order(db: Database, state: QueueState) -> bytes:
    """Tell the queue what to do; the new state as JSON.

    Raises:
        DatabaseAway: it is not known whether the order was given; giving it again does no harm.
    """
    return _there(await db.fetch_json("control.give_order", state=state))


async def stop_session(db: Database, session_id: UUID) -> bytes:
    """Ask for a session's end, which comes in order: what it did is kept. JSON of the session's new state.

    Raises:
        NoSuchSession: nobody knows it.
        NotStoppable: it has ended, or is not one that acd works.
        DatabaseAway: as `give_order`.
    """
    row = await db.fetch_one("control.session", id=session_id)
    if row is None:
        raise NoSuchSession(f"No session has the id {session_id}.")
    if row["status"] != "running":
        raise NotStoppable(f"The session has ended already ({row['status']}).")
    if row["origin"] != "harness":
        raise NotStoppable(
            "Another program runs this session and only told acd of it: stop it there."
        )
    return _there(
        await db.fetch_json("control.stop_session", id=session_id, target_id=row["target_id"])
    )


def _there(found: bytes | None) -> bytes:
    if found is None:
        raise DatabaseError("the table queue_control has lost its row: restore the database")
    return found


class Control:
    """The orders that reach one process. `paused`: no session is to be begun now."""

    def __init__(self, db: Database, ending: Ending, observer: Observer) -> None:
        self._db = db
        self._ending = ending
        self._observer = observer
        self._since = 0
        self._stops: dict[UUID, StopSignal] = {}
        self.paused = False
        ending.call_when_stopping(self._stop_all)

    async def join(self) -> None:
        """Begin to be told: earlier orders to drain or stop were for others.

        Raises:
            DatabaseError: as `patiently`.
        """
        row = await patiently(lambda: self._db.fetch_one("control.join"), self._ending.giving_up)
        self._since = row["orders"] if row else 0
        await patiently(self._obey, self._ending.giving_up)

    async def follow(self) -> None:
        """Do what is told, until cancelled."""
        async with hearing(self._db, CHANNEL) as heard:
            while True:
                heard.clear()
                with suppress(DatabaseAway):
                    await self._obey()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):  # `wait_for` may swallow a cancellation
                        await heard.wait()

    @contextmanager
    def stop_of(self, session_id: UUID) -> Iterator[StopSignal]:
        """The event that ends a session in order while the block runs: its own stop, or everybody's."""
        stop = self._stops.setdefault(session_id, StopSignal())
        if self._ending.stopping.is_set():
            stop.set()
        try:
            yield stop
        finally:
            self._stops.pop(session_id, None)

    @property
    def at_work(self) -> list[UUID]:
        """The sessions that this process works, own and adopted."""
        return list(self._stops)

    def end_session(self, session_id: UUID, error_type: ErrorType, message: str) -> bool:
        """End a session of this process in order, to fail with this error; False when it is ending already."""
        stop = self._stops.get(session_id)
        if stop is None or stop.is_set():
            return False
        stop.end_because(error_type, message)
        return True

    async def _obey(self) -> None:
        orders = await self._db.fetch_one(
            "control.orders_since", since=self._since, sessions=list(self._stops)
        )
        if orders is None:
            return
        self._hold(orders["paused"])
        if orders["drain"] and not self._ending.draining.is_set():
            self._observer.message("told to drain: no session is begun any more", warning=False)
            self._ending.drain("stopped")
        if orders["stop"] and not self._ending.stopping.is_set():
            self._observer.message("told to stop: ending sessions in order", warning=False)
            self._ending.stop()
        self._stop(orders["sessions"])

    def _hold(self, paused: bool) -> None:
        if paused != self.paused:
            self.paused = paused
            told = "paused: no session is begun until it is resumed" if paused else "resumed"
            self._observer.message(f"the queue is {told}", warning=False)

    def _stop(self, sessions: Sequence[UUID]) -> None:
        for session_id in sessions:
            stop = self._stops.get(session_id)
            if stop is not None and not stop.is_set():
                self._observer.message(f"told to stop session {session_id}", warning=False)
                stop.set()

    def _stop_all(self) -> None:
        for stop in self._stops.values():
            stop.set()
