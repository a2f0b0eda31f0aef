"""The engine's worker, kept at work: started again when it stumbles, told when to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from procrastinate import exceptions
from procrastinate.job_context import JobContext
from procrastinate.worker import Worker

from acd.core.errors import DatabaseAway
from acd.queue.ending import Ending
from acd.queue.jobs import HEARTBEAT_S, PRUNE_S, TURN, Turn, Turns, queue_name

logger = logging.getLogger("acd.queue")

_POLL_S = 0.2
"""How often a free slot looks for a turn: a turn that became due or was freed by the end of another tells nobody."""
_SWEEP_S = 10.0
_PAUSE_S = 1.0


class Crew:
    """`slots` turns at a time of some targets (`only`; None: all), until `ending` says so."""

    def __init__(
        self,
        turns: Turns,
        work: Callable[[Turn], Awaitable[None]],
        ending: Ending,
        *,
        slots: int,
        only: set[UUID] | None = None,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._turns = turns
        self._work = work
        self._ending = ending
        self._slots = slots
        self._only = only
        self._heartbeat_s = heartbeat_s
        self._inside: set[asyncio.Task[None]] = set()
        turns.app.task(name=TURN, pass_context=True)(self._take)
        ending.call_at_once(self._cancel)

    async def keep_working(self) -> None:
        """Return when no session is to be begun any more and the last one is over.

        Raises:
            ConnectorException: the database is away and nobody waits for it any more; turns that were being worked
                are found and given back later.
        """
        sweep = asyncio.create_task(self._sweep(), name="sweep")
        try:
            while not self._ending.draining.is_set():
                await self._work_until_stopped()
        finally:
            sweep.cancel()
            with contextlib.suppress(asyncio.CancelledError, exceptions.ConnectorException):
                await sweep

    async def _work_until_stopped(self) -> None:
        worker = Worker(
            self._turns.app,
            queues=None if self._only is None else [queue_name(each) for each in self._only],
            name="acd",
            concurrency=self._slots,
            fetch_job_polling_interval=_POLL_S,
            listen_notify=False,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=self._heartbeat_s,
            stalled_worker_timeout=PRUNE_S,
        )
        stopper = asyncio.create_task(self._stop_when_draining(worker), name="stopper")
        try:
            await worker.run()  # type: ignore[no-untyped-call]
        except exceptions.ProcrastinateException:
            if self._ending.giving_up.is_set():
                raise
            logger.exception("the job engine's worker stumbled; it is started again")
            await asyncio.sleep(_PAUSE_S)
        finally:
            stopper.cancel()

    async def _stop_when_draining(self, worker: Worker) -> None:
        await self._ending.draining.wait()
        worker.stop()  # type: ignore[no-untyped-call]

    async def _take(self, context: JobContext, /, **arguments: object) -> None:
        """The engine's entry: one job."""
        current = asyncio.current_task()
        assert current is not None and context.job.id is not None  # noqa: S101, PT018 - inside a job
        self._turns.running.add(context.job.id)
        self._inside.add(current)
        try:
            await self._work(msgspec.convert(arguments, Turn))
        except DatabaseAway:
            # Only when nobody waits for it any more. The job stays claimed, and the next start gives it back.
            logger.warning("the database is away: what this turn did is recorded at the next start")
        finally:
            self._inside.discard(current)
            self._turns.running.discard(context.job.id)

    async def _sweep(self) -> None:
        """Bring back the turns of workers that died, at once and then every now and then."""
        while True:
            back = await self._turns.give_back_stalled()
            if back:
                logger.info("%d turns of workers that died come again", back)
            await asyncio.sleep(_SWEEP_S)

    def _cancel(self) -> None:
        for task in self._inside:
            task.cancel()
