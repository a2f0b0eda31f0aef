"""Working the queue: from the file to the last session that can be worked now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from procrastinate import exceptions

from acd.core.errors import ConfigError, DatabaseError, QueueFileError
from acd.core.models import Target, TargetStatus, target_id_of
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger.recorder import Recorder
from acd.queue.adopting import Orphans
from acd.queue.connector import patiently
from acd.queue.crew import Crew
from acd.queue.ending import EndedBy, Ending, ended_by_signals
from acd.queue.jobs import Turns, open_turns
from acd.queue.look import Planned, plan_queue, read_states
from acd.queue.observer import Observer
from acd.queue.presence import Workers
from acd.queue.sync import sync_queue_file
from acd.queue.watch import Edit, LatestQueue
from acd.queue.working import Tally, TurnWorker

_LOOK_S = 0.3
_LAST_RECORDING_S = 10.0
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


async def plan(db: Database, settings: Settings, options: RunOptions) -> list[Planned]:
    """What a run would do now, by priority; writes nothing (`acd run --dry-run`).

    Raises:
        QueueFileError: the queue file cannot be used. ConfigError: a repo id that is not in it.
        DatabaseError: as `Database.fetch_all`.
    """
    queue = LatestQueue(settings.queue_file).queue
    _check_ids(options.repo_ids, queue.targets)
    return await plan_queue(db, settings, queue, options.repo_ids)


async def work_queue(
    db: Database,
    settings: Settings,
    options: RunOptions,
    *,
    observer: Observer,
    ending: Ending | None = None,
) -> RunResult:
    """Sync the queue file, then work its targets until nothing is left to do.

    INT, TERM and HUP end it in order, a second one at once. Edits of the queue file are taken up while it runs.

    Args:
        db: where everything is recorded.
        settings: see there.
        options: what to work and for how long.
        observer: told what happens.
        ending: lets the caller end the run too.

    Raises:
        QueueFileError: the queue file cannot be used. ConfigError: a repo id that is not in it.
        DatabaseError: it could not be reached at the start, or is not usable.
    """
    latest = LatestQueue(settings.queue_file)
    _check_ids(options.repo_ids, latest.queue.targets)
    result = await sync_queue_file(db, latest.queue)
    for warning in result.warnings:
        observer.message(warning)
    async with _opened(db, settings, options, latest, observer, ending or Ending()) as parts:
        since = datetime.now(UTC)
        return await _Orchestrator(parts, latest, since).work()


async def worker(
    db: Database,
    settings: Settings,
    options: RunOptions,
    *,
    observer: Observer,
    ending: Ending | None = None,
) -> RunResult:
    """Work turns that others began, until stopped (`acd worker`). Of `options` all but `once` count.

    The queue file of the settings, where there is one, only says which models to use and where lists may lie.

    Raises:
        DatabaseError: it could not be reached at the start, or is not usable.
    """
    latest = _latest_or_none(settings)
    options = msgspec.structs.replace(options, until_done=False)
    async with _opened(db, settings, options, latest, observer, ending or Ending()) as parts:
        return await _Orchestrator(parts, None, datetime.now(UTC)).work()


def _latest_or_none(settings: Settings) -> LatestQueue | None:
    try:
        return LatestQueue(settings.queue_file)
    except QueueFileError:
        return None


def _check_ids(repo_ids: Sequence[str], targets: Sequence[Target]) -> None:
    unknown = set(repo_ids) - {target.repo_id for target in targets}
    if unknown:
        raise ConfigError(f"not in the queue file: {', '.join(sorted(unknown))}")


@dataclass(frozen=True)
class _Parts:
    """What a run is made of."""

    db: Database
    options: RunOptions
    observer: Observer
    ending: Ending
    recorder: Recorder
    turns: Turns
    orphans: Orphans
    turn_worker: TurnWorker
    crew: Crew
    tally: Tally


@asynccontextmanager
async def _opened(
    db: Database,
    settings: Settings,
    options: RunOptions,
    latest: LatestQueue | None,
    observer: Observer,
    ending: Ending,
) -> AsyncIterator[_Parts]:
    workers = Workers(settings.locks_dir, db.url)
    tally = Tally(left=options.max_sessions)
    try:
        async with Recorder(db, settings) as recorder:
            turns = await open_turns(db, workers, ending.giving_up)
            orphans = Orphans(settings)
            turn_worker = TurnWorker(
                db,
                settings,
                turns,
                recorder,
                latest=latest,
                observer=observer,
                ending=ending,
                orphans=orphans,
                tally=tally,
            )
            crew = Crew(
                turns, turn_worker.work, ending, slots=options.concurrency, only=options.only
            )
            yield _Parts(
                db, options, observer, ending, recorder, turns, orphans, turn_worker, crew, tally
            )
    finally:
        workers.close()


class _Orchestrator:
    """The crew at work, and beside it what watches the queue file, the clock and the end.

    `latest` None: turns are begun by others.
    """

    def __init__(self, parts: _Parts, latest: LatestQueue | None, since: datetime) -> None:
        self._parts = parts
        self._latest = latest
        self._since = since

    async def work(self) -> RunResult:
        """Work until the ending says so."""
        parts, ending = self._parts, self._parts.ending
        with ended_by_signals(ending, parts.observer.message):
            orphans = parts.orphans.look_after(parts.recorder.ring, ending.stopping, parts.observer)
            try:
                await self._begin()
                async with self._beside():
                    await parts.crew.keep_working()
            except (DatabaseError, exceptions.ConnectorException):
                if not ending.giving_up.is_set():
                    raise
            finally:
                ending.drain("failed")
                await orphans
            recorded = await parts.recorder.settle(
                0 if ending.giving_up.is_set() else _LAST_RECORDING_S
            )
        return await self._result(recorded)

    async def _begin(self) -> None:
        if self._latest is not None:
            await self._begin_turns(self._latest.queue.targets)

    async def _begin_turns(self, targets: Sequence[Target]) -> None:
        only = self._parts.options.only
        chosen = [each for each in targets if each.enabled and (only is None or each.id in only)]
        await self._parts.turn_worker.begin(chosen, self._since, once=self._parts.options.once)

    @asynccontextmanager
    async def _beside(self) -> AsyncIterator[None]:
        """Run what goes on beside the crew. When one of it fails, the run is drained, then fails with it."""
        works: list[Coroutine[Any, Any, None]] = [self._catch_up(), self._take_up_edits()]
        if self._parts.options.until_done and self._latest is not None:
            works.append(self._end_when_done())
        if self._parts.options.hours is not None:
            works.append(self._end_after(self._parts.options.hours * _HOUR_S))
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

    def _drain_if_failed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._parts.ending.drain("failed")

    async def _catch_up(self) -> None:
        """Record what earlier processes left in files, once."""
        await patiently(self._parts.recorder.catch_up_all, self._parts.ending.giving_up)

    async def _end_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._parts.ending.drain("hours")

    async def _end_when_done(self) -> None:
        """Nothing is left when no turn of the chosen targets waits or is worked, here or anywhere."""
        only = self._parts.options.only
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._parts.turns.running:
                continue
            turns = await self._parts.turns.waiting()
            if not any(only is None or each.turn.target_id in only for each in turns):
                self._parts.ending.drain("done")
                return

    async def _take_up_edits(self) -> None:
        """Bring edits of the queue file into the table and into the turns."""
        if self._latest is None:
            return
        async for edit in self._latest.edits():
            if isinstance(edit, QueueFileError):
                self._parts.observer.message(f"{edit}; the last good one stays in force")
                continue
            try:
                await self._take_up(edit)
            except DatabaseError as error:
                self._parts.observer.message(
                    f"the edit of the queue file was not taken up: {error}"
                )

    async def _take_up(self, edit: Edit) -> None:
        assert self._latest is not None  # noqa: S101 - it yielded the edit
        queue, parts = self._latest.queue, self._parts
        result = await patiently(lambda: sync_queue_file(parts.db, queue), parts.ending.giving_up)
        for problem in [*queue.problems, *result.warnings[len(queue.problems) :]]:
            parts.observer.message(problem)
        parts.observer.message("the queue file was edited: taken up", warning=False)
        await parts.turns.withdraw(edit.over)
        await parts.turns.reprioritise(queue.targets)
        await self._begin_turns(edit.begun)

    def _concerned(self) -> list[UUID] | None:
        """Whose ends the result tells: the chosen targets, else those of the queue file, else all."""
        if only := self._parts.options.only:
            return list(only)
        return [target.id for target in self._latest.queue.targets] if self._latest else None

    async def _result(self, recorded: bool) -> RunResult:
        parts = self._parts
        ends: list[TargetEnd] = []
        if not parts.ending.giving_up.is_set():
            states = await read_states(parts.db, self._since, self._concerned())
            ends = [TargetEnd(s.target.repo_id, s.status, s.status_reason) for s in states]
        return RunResult(
            parts.ending.by or "failed", parts.tally.completed, parts.tally.failed, recorded, ends
        )
