"""The crew at work, and beside it what watches the queue file, the clock and the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from procrastinate import exceptions

from acd.core.errors import DatabaseError, QueueFileError
from acd.core.models import Target, TargetStatus, target_id_of
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger.recorder import Recorder
from acd.queue.adopting import Orphans
from acd.queue.connector import patiently
from acd.queue.control import Control
from acd.queue.crew import Crew
from acd.queue.ending import EndedBy, Ending
from acd.queue.jobs import HEARTBEAT_S, TURN, Turns, open_turns
from acd.queue.keeper import BudgetKeeper
from acd.queue.lease import RENEWALS, Lease
from acd.queue.left import open_queues
from acd.queue.look import read_states
from acd.queue.observer import Observer
from acd.queue.presence import Workers
from acd.queue.sessions import SessionWorker, Tally
from acd.queue.status_file import kept_status_file
from acd.queue.succession import Succession
from acd.queue.sync import sync_queue_file
from acd.queue.watch import Edit, LatestQueue
from acd.queue.working import TurnWorker

_LOOK_S = 0.3
_LAST_RECORDING_S = 10.0
_HURRIED_RECORDING_S = 2.0
_HOUR_S = 3600.0


class RunOptions(msgspec.Struct, frozen=True):
    """What a run is to do. `repo_ids` empty: all targets. `once`: one session a target, and no wait is waited for.

    `hours` and `max_sessions` end the run early; sessions in flight then end by themselves. Without `until_done` the
    run goes on when nothing is left, for what an edit of the queue file may bring.
    """

    concurrency: int = 1
    hours: float | None = None
    max_sessions: int | None = None
    repo_ids: tuple[str, ...] = ()
    once: bool = False
    until_done: bool = True

    @property
    def only(self) -> set[UUID] | None:
        """Ids of the targets that were chosen; None: all."""
        return {target_id_of(repo_id) for repo_id in self.repo_ids} or None


class TargetEnd(msgspec.Struct, frozen=True):
    """How a target stood when the run ended."""

    repo_id: str
    status: TargetStatus
    reason: str | None = None


class RunResult(msgspec.Struct, frozen=True):
    """What a run did. `recorded`: everything in its sessions' files is in the database too."""

    ended_by: EndedBy
    completed: int
    failed: int
    recorded: bool
    targets: list[TargetEnd] = []


class Shift:
    """One process working turns from now until its `ending`. Made by `open_shift`.

    With `begins` it begins the turns of its queue file's targets itself; else others do.
    """

    def __init__(
        self,
        db: Database,
        settings: Settings,
        options: RunOptions,
        *,
        latest: LatestQueue | None,
        observer: Observer,
        ending: Ending,
        recorder: Recorder,
        turns: Turns,
        lease: Lease,
    ) -> None:
        self._db = db
        self._settings = settings
        self._options = options
        self._latest = latest
        self._observer = observer
        self._ending = ending
        self._recorder = recorder
        self._turns = turns
        self._since = datetime.now(UTC)
        self._tally = Tally(left=options.max_sessions)
        self._control = Control(db, ending, observer)
        self._orphans = Orphans(settings, self._control, lease)
        self._lease = lease
        self._keeper = BudgetKeeper(db, settings, self._control, observer, recorder.ring)
        turns.hold_while(lambda: self._control.paused or not lease.good)
        turns.choose_by(self._choose)
        self._turn_worker = self._build_turn_worker()
        self._crew = Crew(
            turns,
            self._turn_worker.work,
            ending,
            slots=options.concurrency,
            only=options.only,
            heartbeat_s=min(HEARTBEAT_S, settings.lease_seconds / RENEWALS),
        )

    def _build_turn_worker(self) -> TurnWorker:
        sessions = SessionWorker(
            self._settings,
            self._recorder.ring,
            observer=self._observer,
            ending=self._ending,
            control=self._control,
            lease=self._lease,
            tally=self._tally,
        )
        return TurnWorker(
            self._db,
            self._settings,
            self._turns,
            self._recorder,
            sessions=sessions,
            latest=self._latest,
            observer=self._observer,
            ending=self._ending,
            orphans=self._orphans,
            lease=self._lease,
            succession=Succession(
                self._db, self._turns, self._ending.giving_up, self._options.only
            ),
        )

    async def work(self, *, begins: bool) -> RunResult:
        """Work until the ending says so; errors as `work_queue`."""
        ending = self._ending
        await self._control.join()
        keeping = asyncio.create_task(self._lease.keep(), name="lease")
        keeping.add_done_callback(self._drain_if_failed)
        orphans = self._orphans.look_after(self._recorder.ring, ending.stopping, self._observer)
        try:
            # Orders and budgets hold as long as any session is attended, also an adopted one after all turns are over.
            async with self._beside([self._control.follow(), self._keeper.keep()]):
                try:
                    if begins and self._latest is not None:
                        await self._begin(self._latest, self._latest.queue.targets)
                    async with self._beside(self._works(self._latest if begins else None)):
                        await self._crew.keep_working()
                finally:
                    ending.drain("failed")
                    await orphans
        except (DatabaseError, exceptions.ConnectorException):
            if not ending.giving_up.is_set():
                raise
        finally:
            keeping.cancel()
        hurry = ending.giving_up.is_set()
        recorded = await self._recorder.settle(_HURRIED_RECORDING_S if hurry else _LAST_RECORDING_S)
        return RunResult(
            ending.by or "failed",
            self._tally.completed,
            self._tally.failed,
            recorded,
            await self._ends() if recorded else [],
        )

    async def _choose(self, asked: Iterable[str] | None) -> Iterable[str] | None:
        """The queues from which to take a turn: all, unless something has to be left to others."""
        left = self._lease.left.now()
        if not left and not self._lease.others:
            return asked
        return await patiently(
            lambda: open_queues(self._db, TURN, self._settings.host_name, left, asked),
            self._ending.giving_up,
        )

    async def _begin(self, latest: LatestQueue, targets: Sequence[Target]) -> None:
        only = self._options.only
        chosen = [each for each in targets if each.enabled and (only is None or each.id in only)]
        await self._turn_worker.begin(latest.queue, chosen, self._since, once=self._options.once)

    def _works(self, latest: LatestQueue | None) -> list[Coroutine[Any, Any, None]]:
        """What goes on beside the crew."""
        works = [self._catch_up()]
        if latest is not None:
            works.append(self._take_up_edits(latest))
            if self._options.until_done:
                works.append(self._end_when_done(latest))
        if self._options.hours is not None:
            works.append(self._end_after(self._options.hours * _HOUR_S))
        return works

    @asynccontextmanager
    async def _beside(self, works: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
        """Run works while the block runs. When one of them fails, the shift is drained, then fails with it."""
        beside = [asyncio.create_task(work) for work in works]
        for each in beside:
            each.add_done_callback(self._drain_if_failed)
        try:
            yield
        finally:
            for each in beside:
                each.cancel()
            ends = await asyncio.gather(*beside, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    def _drain_if_failed(self, work: asyncio.Task[None]) -> None:
        if not work.cancelled() and work.exception() is not None:
            self._ending.drain("failed")

    async def _catch_up(self) -> None:
        """Record what earlier processes left in files, once."""
        await patiently(self._recorder.catch_up_all, self._ending.giving_up)

    async def _end_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._ending.drain("hours")

    async def _end_when_done(self, latest: LatestQueue) -> None:
        """Nothing is left when no turn of our targets waits or is worked, here or anywhere."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._turns.running:
                continue
            turns = await self._turns.waiting()
            ours = self._options.only or {target.id for target in latest.queue.targets}
            waiting = {each.turn.target_id for each in turns} & ours
            if waiting:
                rows = await patiently(
                    lambda: self._db.fetch_all("fleet.left_by_all"), self._ending.giving_up
                )
                waiting -= {row["target_id"] for row in rows}
            if not waiting:
                self._ending.drain("done")
                return

    async def _take_up_edits(self, latest: LatestQueue) -> None:
        """Bring edits of the queue file into the table and into the turns."""
        async for edit in latest.edits():
            if isinstance(edit, QueueFileError):
                self._observer.message(f"{edit}; the last good one stays in force")
                continue
            try:
                await self._take_up(latest, edit)
            except DatabaseError as error:
                self._observer.message(f"the edit of the queue file was not taken up: {error}")

    async def _take_up(self, latest: LatestQueue, edit: Edit) -> None:
        queue = latest.queue
        result = await patiently(
            lambda: sync_queue_file(self._db, queue, self._settings.host_name),
            self._ending.giving_up,
        )
        for warning in result.warnings:
            self._observer.message(warning)
        self._observer.message("the queue file was edited: taken up", warning=False)
        await self._turns.withdraw(edit.over)
        await self._turns.reprioritise(queue.targets)
        await self._begin(latest, edit.begun)

    async def _ends(self) -> list[TargetEnd]:
        """How the chosen targets stand, else those of the queue file, else all; none when the database is away."""
        ids = list(self._options.only or ())
        if not ids and self._latest is not None:
            ids = [target.id for target in self._latest.queue.targets]
        with suppress(DatabaseError):
            states = await read_states(self._db, self._since, ids or None)
            return [TargetEnd(s.target.repo_id, s.status, s.status_reason) for s in states]
        return []


@asynccontextmanager
async def open_shift(
    db: Database,
    settings: Settings,
    options: RunOptions,
    *,
    latest: LatestQueue | None,
    observer: Observer,
    ending: Ending,
) -> AsyncIterator[Shift]:
    """A shift with its recorder and its place among the workers.

    Raises:
        DatabaseError: as `open_turns`.
    """
    workers = Workers(settings.locks_dir, db.url)
    lease = Lease(db, settings, tell=observer.message, give_up=ending.giving_up)
    try:
        turns = await open_turns(db, workers, ending.giving_up, stalled_s=settings.lease_seconds)
        await lease.join()
        async with Recorder(db, settings) as recorder, kept_status_file(db, settings):
            yield Shift(
                db,
                settings,
                options,
                latest=latest,
                observer=observer,
                ending=ending,
                recorder=recorder,
                turns=turns,
                lease=lease,
            )
    finally:
        await lease.resign()
        workers.close()
