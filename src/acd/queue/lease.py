"""A worker's lease: its sign of life in the database, what it holds, and what it must let go of in time.

Workers of one machine see each other's death at once, by lock files. Other machines see only that a lease is over; they
may then take a target over, but only into a clone of their own: the dead machine's folders may have a live agent in
them. A worker that cannot renew its lease therefore ends its sessions of such targets *before* the lease is over, by a
clock that goes on while the machine sleeps. Targets that nobody else may take over (no `clone`) are not touched by
that: with the database away their sessions go on for as long as it takes.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

from acd.core.errors import DatabaseAway
from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.harness.stopping import StopSignal
from acd.queue.connector import patiently
from acd.queue.left import LeftTargets
from acd.queue.presence import Workers

RENEWALS = 6
"""Signs of life in the time of a lease, so that some may fail."""
_LONGEST_PERIOD_S = 15.0
_AGAIN_S = 0.5
_WATCH_S = 0.5
_MARGIN_S = 5.0
"""Beside the agents' own grace: to notice, and to see that no process is left."""
TAKEN_OVER = (
    "ended because another machine had taken the target over while this one gave no sign of life"
)
_FENCED = "ended because the database could not be reached, before another machine might take the target over"


@dataclass(frozen=True)
class _Guarded:
    """A session that has to end when its target is not ours any more."""

    target: Target
    stop: StopSignal


class Lease:
    """The lease of one process. `others`: workers of other machines live. `give_up`: nobody waits for the database any more."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        *,
        tell: Callable[[str], None],
        give_up: asyncio.Event,
    ) -> None:
        self.id = uuid4()
        self.host_name = settings.host_name
        self.others = False
        self.left = LeftTargets()
        self._db = db
        self._seconds = settings.lease_seconds
        self._fence_after = fence_after(settings)
        self._tell = tell
        self.give_up = give_up
        self._workers = Workers(settings.locks_dir, db.url, "lease")
        self._held: set[UUID] = set()
        self._taken: set[UUID] = set()
        self._inherited: set[UUID] = set()
        self._guarded: dict[UUID, _Guarded] = {}
        self._renewed_at = _clock()
        self._lapsed = False

    @property
    def good(self) -> bool:
        """Whether what we hold is certainly still ours."""
        return _clock() - self._renewed_at < self._fence_after

    async def join(self) -> None:
        """Become a worker that others know of, and the heir of those of this machine that died.

        Raises:
            DatabaseError: as `patiently`.
        """
        self._workers.enter(self.id)
        await patiently(self._renew, self.give_up)
        dead = self._workers.dead()
        if dead:
            rows = await patiently(
                lambda: self._db.fetch_all("fleet.inherit", dead=dead, id=self.id), self.give_up
            )
            self._inherited = {row["target_id"] for row in rows}
            self._held |= self._inherited
            self._workers.forget(dead)

    async def resign(self) -> None:
        """End in order. With the database away, others find out when the lease is over."""
        with suppress(DatabaseAway):
            await self._db.execute("fleet.resign", id=self.id)
            self._workers.leave(self.id)
        self._workers.close()

    # ---- what we hold ----------------------------------------------------------------------------------------

    def is_dead_here(self, worker_id: UUID | None) -> bool:
        """Whether that worker is one of this machine and known to be dead."""
        return self._workers.presence(worker_id) == "dead"

    def took(self, target_id: UUID) -> None:
        """The database says that the target is ours from now on, for a turn that calls `release` when it is over."""
        self._held.add(target_id)
        self._taken.add(target_id)

    async def is_anothers(self, target_id: UUID) -> bool:
        """Whether somebody else works the target now; after an outage known only when the lease has been renewed.

        Raises:
            DatabaseError: as `patiently`.
        """
        while not self.good and not self.give_up.is_set():
            await asyncio.sleep(_AGAIN_S)
        if target_id in self._held:
            return False
        row = await patiently(
            lambda: self._db.fetch_one("fleet.place", target_id=target_id), self.give_up
        )
        return row is not None and row["worker_id"] not in (None, self.id)

    async def release(self, target_id: UUID) -> None:
        """Hold a target no longer, unless a session that a dead worker left us still runs on it.

        With the database away and nobody waiting for it, it is ours until the lease is over.
        """
        self._taken.discard(target_id)
        if target_id not in self._inherited:
            await self._release([target_id])

    async def release_inherited(self) -> None:
        """What dead workers of this machine had begun is seen to its end: hold no longer what we do not work."""
        ours, self._inherited = self._inherited, set()
        await self._release([each for each in ours if each not in self._taken])

    async def _release(self, target_ids: Sequence[UUID]) -> None:
        with suppress(DatabaseAway):
            await patiently(
                lambda: self._db.execute("fleet.release", target_ids=list(target_ids), id=self.id),
                self.give_up,
            )
            self._held.difference_update(target_ids)

    async def presume(self) -> None:
        """Let sessions of dead workers of other machines show as interrupted, until those machines are back.

        Raises:
            DatabaseError: as `patiently`.
        """
        await patiently(
            lambda: self._db.execute("fleet.presume_interrupted", host=self.host_name), self.give_up
        )

    async def gone_elsewhere(self, target_ids: Sequence[UUID]) -> set[UUID]:
        """Which of these targets another machine has taken over.

        Raises:
            DatabaseError: as `patiently`.
        """
        rows = await patiently(
            lambda: self._db.fetch_all(
                "fleet.elsewhere", target_ids=list(target_ids), host=self.host_name
            ),
            self.give_up,
        )
        return {row["target_id"] for row in rows}

    @contextmanager
    def guard(self, session_id: UUID, target: Target, stop: StopSignal) -> Iterator[None]:
        """While the block runs, `stop` is set, with the reason, when the target is, or may soon be, somebody else's."""
        self._guarded[session_id] = _Guarded(target, stop)
        try:
            yield
        finally:
            self._guarded.pop(session_id, None)

    # ---- signs of life ---------------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Renew the lease and let go in time of what cannot be kept; until cancelled.

        Raises:
            DatabaseError: the database refused the renewal.
        """
        watching = asyncio.create_task(self._watch(), name="lease")
        try:
            await self._renew_for_ever()
        finally:
            watching.cancel()

    async def _renew_for_ever(self) -> None:
        period = min(self._seconds / RENEWALS, _LONGEST_PERIOD_S)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(period):
                    await self.left.changed.wait()
            self.left.changed.clear()
            try:
                await self._renew()
                await self._db.execute("fleet.presume_interrupted", host=self.host_name)
            except DatabaseAway:
                await asyncio.sleep(_AGAIN_S)

    async def _renew(self) -> None:
        began, held = _clock(), set(self._held)
        row = await self._db.fetch_one(
            "fleet.renew",
            id=self.id,
            host=self.host_name,
            pid=os.getpid(),
            seconds=self._seconds,
            left_targets=list(self.left.for_good()),
        )
        self._renewed_at = began
        if row is not None:
            self.others = row["others"]
            self._lose(held - set(row["held"]))
        if self._lapsed:
            self._lapsed = False
            await self._db.execute("fleet.still_running", ids=list(self._guarded))

    def _lose(self, lost: set[UUID]) -> None:
        """Another machine has taken these targets over."""
        self._held -= lost
        for each in self._guarded.values():
            if each.target.id in lost:
                self._end(each, TAKEN_OVER, "another machine has taken it over: ending our session")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_S)
            if not self.good and not self._lapsed:
                self._lapsed = True
                self._fence()

    def _fence(self) -> None:
        """The lease ends soon: end what others may take over then."""
        for each in self._guarded.values():
            if each.target.clone:
                self._end(
                    each,
                    _FENCED,
                    "the database cannot be told that we live; ending the session "
                    "before another machine may take the target over",
                )

    def _end(self, guarded: _Guarded, reason: str, news: str) -> None:
        if not guarded.stop.is_set():
            self._tell(f"{guarded.target.repo_id}: {news}")
        guarded.stop.end_at_once_because("interrupted", reason)


def fence_after(settings: Settings) -> float:
    """After how many seconds without a renewal sessions are ended, so that they are over when the lease is."""
    seconds = settings.lease_seconds
    return max(0.4 * seconds, seconds - settings.terminate_grace - _MARGIN_S)


def _clock() -> float:
    """Seconds that go on while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
