"""One stage of an import by several processes: each goes the whole way, from its files to PostgreSQL, for its own share.

The processes are forked, so each has what is loaded already, and talk to us by a pipe: a `Step` after each batch, its
`Outcome` at the end, or the error that ended it. Nothing is shared between them but the database, where two imports at once
have always been right.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

from acd.core.errors import AcdError, ImportBroken
from acd.history.share import Outcome, Step

MOST = 4
"""More processes than these would need more memory than an import may."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

Work = Callable[[Callable[[Step], None]], Awaitable[Outcome]]
"""Imports a share, in whatever process it is called; what it is given is told each step."""


def processors() -> int:
    """How many processes pay here: one for each processor that we may use.

    Only Linux forks: elsewhere a system library that has threads may not be forked (macOS), or nothing can be.
    """
    return min(MOST, len(os.sched_getaffinity(0))) if sys.platform == "linux" else 1


async def all_at_once(
    own: Work, others: Sequence[Work], tell: Callable[[Step], None]
) -> list[Outcome]:
    """Do `own` here and each of `others` in a process of its own; their outcomes, ours first.

    However it ends, no process is left: one that is cut off leaves what it had not committed to the next import.

    Raises:
        ImportBroken: a process ended without a word, or could not be started.
        AcdError: whatever one of them raised.
    """
    processes: list[_Process] = []
    tasks: list[asyncio.Future[Outcome]] = []
    try:
        for work in others:  # one by one: those that began are ended also where the next cannot
            processes.append(_Process(work, tell))
        tasks += [asyncio.ensure_future(own(tell)), *(one.outcome for one in processes)]
        return await asyncio.gather(*tasks)
    finally:
        for process in processes:
            process.end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Process:
    """A process at work on a share; `outcome` is settled when it says so, or ends."""

    def __init__(self, work: Work, tell: Callable[[Step], None]) -> None:
        loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[Outcome] = loop.create_future()
        self._loop = loop
        self._tell = tell
        context = multiprocessing.get_context("fork")
        self._news, sender = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work, args=(work, self._news, sender, os.getpid()), daemon=True
        )
        # Ctrl-C in the terminal is for us; it waits until the new process ignores it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        except OSError as error:
            self._news.close()
            raise ImportBroken(
                f"no further process can be started: {error}; import again"
            ) from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            sender.close()
        loop.add_reader(self._news.fileno(), self._hear)

    def end(self) -> None:
        """See that it is gone. One that has told its outcome has nothing more to do."""
        self._loop.remove_reader(self._news.fileno())
        self._process.kill()
        self._process.join()
        self._process.close()
        self._news.close()

    def _hear(self) -> None:
        try:
            news = self._news.recv()
        except (EOFError, OSError):
            self._loop.remove_reader(self._news.fileno())
            self._process.join()
            code = self._process.exitcode
            news = ImportBroken(f"a process that imports ended with {code}; import again")
        if isinstance(news, Step):
            self._tell(news)
        elif self.outcome.done():
            return
        elif isinstance(news, Outcome):
            self.outcome.set_result(news)
        else:
            self.outcome.set_exception(news)


def _work(work: Work, news: Connection, sender: Connection, parent: int) -> None:
    """What the new process does. An error that is none of ours is shown by `multiprocessing`, which then ends it with 1."""
    news.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _end_with(parent)
    gc.freeze()  # what is there stays: to look through it again and again would copy it

    with suppress(BrokenPipeError):  # nobody listens any more
        try:
            outcome = asyncio.run(_finished(work, sender.send))
        except AcdError as error:
            sender.send(error)
        else:
            sender.send(outcome)


def _end_with(parent: int) -> None:
    """Have Linux kill us when our parent ends, however it does (prctl(2)): nobody waits for what we do then."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


async def _finished(work: Work, tell: Callable[[Step], None]) -> Outcome:
    return await work(tell)
