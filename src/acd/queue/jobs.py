"""Turns as jobs of Procrastinate: one waiting job a target at most, one running job a target at most.

A job is only a call to look at a target. Nothing is lost when one vanishes and nothing is doubled when one comes
twice, because the turn decides by rows and files. Jobs that are over are deleted: sessions tell what was done.
Each target has a queue of its own, so that a worker can be told to work only some of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from procrastinate import App, exceptions
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from acd.core.models import Target
from acd.database.connection import Database
from acd.queue.connector import JobConnector, ensure_schema
from acd.queue.presence import Workers

TURN = "turn"
HEARTBEAT_S = 10.0
STALLED_S = 30.0
PRUNE_S = 3600.0
"""Workers without a heartbeat for so long are forgotten. Far more than `STALLED_S`: the engine forgets them for good,
and one that merely could not reach the database must still be known when it is back."""
_ALIVE = "SELECT id FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %(seconds)s)"


class Turn(msgspec.Struct, frozen=True):
    """What a job says. `since`: failures before it do not count; `once`: one session of this target is enough."""

    target_id: UUID
    since: datetime
    once: bool = False


class Waiting(msgspec.Struct, frozen=True):
    """A turn that is to come (`due` None: now) or that runs (`running`)."""

    turn: Turn
    running: bool
    due: datetime | None = None


class Turns:
    """The jobs of one database. `running` are the ids of jobs that this process is working on."""

    def __init__(
        self, db: Database, workers: Workers, give_up: asyncio.Event, stalled_s: float = STALLED_S
    ) -> None:
        self.connector = JobConnector(db, give_up)
        self.workers = workers
        self.running: set[int] = set()
        self.app = App(connector=self.connector)
        self._jobs = _Manager(self.connector, workers)
        self.app.job_manager = self._jobs
        self._suspects: set[int] = set()
        self._stalled_s = stalled_s

    def hold_while(self, held: Callable[[], bool]) -> None:
        """Let this process take no turn while `held` says so; what it works goes on."""
        self._jobs.held = held

    def choose_by(
        self, choose: Callable[[Iterable[str] | None], Awaitable[Iterable[str] | None]]
    ) -> None:
        """Let `choose` say of which queues (of those given; None: all) this process may take a turn now."""
        self._jobs.choose = choose

    async def defer(self, turns: Iterable[tuple[Turn, Target]], due: datetime | None = None) -> int:
        """Let turns come, at `due` or now; returns for how many. A target that has one waiting keeps that one."""
        jobs = [_job(turn, target, due) for turn, target in turns]
        try:
            return len(await self._jobs.batch_defer_jobs_async(jobs)) if jobs else 0
        except exceptions.AlreadyEnqueued:
            return sum([await self._defer_one(job) for job in jobs])

    async def _defer_one(self, job: Job) -> bool:
        try:
            await self._jobs.defer_job_async(job)
        except exceptions.AlreadyEnqueued:
            return False
        return True

    async def withdraw(self, target_ids: set[UUID] | None = None) -> None:
        """Take back the turns of these targets (all) that wait; those that run go on."""
        for job in await self._jobs.list_jobs_async(task=TURN, status=Status.TODO.value):
            if job.id and (target_ids is None or _turn(job).target_id in target_ids):
                await self._jobs.cancel_job_by_id_async(job.id, delete_job=True)

    async def reprioritise(self, targets: Sequence[Target]) -> None:
        """Give waiting turns the priorities that their targets have now."""
        by_id = {target.id: target for target in targets}
        for job in await self._jobs.list_jobs_async(task=TURN, status=Status.TODO.value):
            target = by_id.get(_turn(job).target_id)
            if job.id and target and job.priority != _priority(target):
                await self._jobs.cancel_job_by_id_async(job.id, delete_job=True)
                await self.defer([(_turn(job), target)], job.scheduled_at)

    async def waiting(self) -> list[Waiting]:
        """All turns that wait or run, on any machine."""
        jobs = await self._jobs.list_jobs_async(task=TURN)
        doing = Status.DOING.value
        return [Waiting(_turn(job), job.status == doing, job.scheduled_at) for job in jobs]

    async def workers_alive(self) -> int:
        """How many workers, on any machine, gave a sign of life of late."""
        rows = await self.connector.execute_query_all_async(_ALIVE, seconds=STALLED_S)
        return len(rows)

    async def give_back_stalled(self) -> int:
        """Let the turns of workers that died come again; returns how many.

        Where only a heartbeat can tell, or a job was claimed in our name without our hearing of it (the connection
        broke at that moment), it must look so twice: call this every ten seconds or so.
        """
        doing = await self._jobs.list_jobs_async(task=TURN, status=Status.DOING.value)
        stalled = await self._jobs.get_stalled_jobs(
            task_name=TURN, seconds_since_heartbeat=self._stalled_s
        )
        silent = {job.id for job in stalled}
        dead, suspects = [], set()
        for job in doing:
            presence = self.workers.presence(job.worker_id)
            lost = presence == "ours" and job.id not in self.running
            if presence == "dead":
                dead.append(job)
            elif job.id and (lost or (presence == "elsewhere" and job.id in silent)):
                suspects.add(job.id)
                if job.id in self._suspects:
                    dead.append(job)
        self._suspects = suspects
        for job in dead:
            await self._give_back(job)
        return len(dead)

    async def _give_back(self, job: Job) -> None:
        """First the new job, then the end of the old one: killed in between, there is one too many, never none."""
        again = job.evolve(id=None, status=None, worker_id=None, scheduled_at=None, attempts=0)
        await self._defer_one(again)
        await self._jobs.finish_job(job, Status.ABORTED, delete_job=True)


class _Manager(JobManager):
    """The engine's own, with presence told to `Workers`, and an end of a job that may be told twice."""

    def __init__(self, connector: JobConnector, workers: Workers) -> None:
        super().__init__(connector)
        self._workers = workers
        self.held: Callable[[], bool] = lambda: False
        self.choose: Callable[[Iterable[str] | None], Awaitable[Iterable[str] | None]] | None = None

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        if self.held():
            return None
        chosen = queues if self.choose is None else await self.choose(queues)
        if chosen is not None and not (chosen := list(chosen)):
            return None
        return await super().fetch_job(chosen, worker_id)

    async def register_worker(self) -> int:
        worker_id = await super().register_worker()
        self._workers.enter(worker_id)
        return worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        await super().unregister_worker(worker_id)
        self._workers.leave(worker_id)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """After an outage nobody knows whether the first attempt was committed; then the job is gone, which is fine."""
        try:
            await super().finish_job(job, status, delete_job)
        except exceptions.ConnectorException:
            if self._given_up() or await self.list_jobs_async(id=job.id):
                raise

    def _given_up(self) -> bool:
        return isinstance(self.connector, JobConnector) and self.connector.give_up.is_set()


async def open_turns(
    db: Database,
    workers: Workers,
    give_up: asyncio.Event | None = None,
    *,
    stalled_s: float = STALLED_S,
) -> Turns:
    """The jobs of a database, their tables made where they are missing; errors as `ensure_schema`.

    Every call on them waits for a database that is away, until `give_up` is set. A worker of another machine is dead
    after `stalled_s` seconds without a heartbeat.
    """
    await ensure_schema(db)
    return Turns(db, workers, give_up or asyncio.Event(), stalled_s)


def queue_name(target_id: UUID) -> str:
    """The engine's name for the queue of a target. No longer: it becomes part of a channel's name (63 bytes)."""
    return target_id.hex


def _job(turn: Turn, target: Target, due: datetime | None) -> Job:
    arguments: dict[str, Any] = msgspec.to_builtins(turn)
    lock = str(turn.target_id)
    return Job(
        queue=queue_name(turn.target_id),
        task_name=TURN,
        priority=_priority(target),
        lock=lock,
        queueing_lock=lock,
        task_kwargs=arguments,
        scheduled_at=due,
    )


def _turn(job: Job) -> Turn:
    return msgspec.convert(job.task_kwargs, Turn)


def _priority(target: Target) -> int:
    """The engine takes the highest number first, the queue file means the lowest."""
    return -target.priority
