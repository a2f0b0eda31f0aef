"""Machines for tests and benchmarks: processes of `acd` with a home and a name of their own, on one PostgreSQL.

    machine = Machine("one", folder, {"DATABASE_URL": url, "ACD_SCENARIO": str(scenario)})
    async with machine.at_work("worker"):
        …
        machine.kill()          # as when the power goes: the harness and its agents, at once

What differs from true machines: they share a clock and a file system, so a target's `path` is there for all of them or for
none; give targets a `clone` and a `path` that is nowhere.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from acd.testing.ledger import LedgerTotals, read_ledgers

_KEPT = ("PATH", "HOME", "TMPDIR", "LANG")


class Machine:
    """One machine. `settings` are environment variables; home and name are its own."""

    def __init__(self, name: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self.home = folder / f"home-{name}"
        self.log = folder / f"{name}.log"
        self._environment = {
            **{key: os.environ[key] for key in _KEPT if key in os.environ},
            "ACD_FREE_SPACE_FLOOR": "0",
            "NO_COLOR": "1",
            **settings,
            "ACD_HOME": str(self.home),
            "ACD_HOST_NAME": name,
        }
        self._process: asyncio.subprocess.Process | None = None

    @asynccontextmanager
    async def at_work(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """`acd ARGUMENTS` in a process of its own; killed, with its agents, if it is still there in the end."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "acd", *arguments),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield self._process
        finally:
            if self._process.returncode is None:
                self.kill()
            await self._process.wait()

    async def stop(self, seconds: float = 60) -> None:
        """End it in order.

        Raises:
            TimeoutError: it did not end.
        """
        process = self._running()
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(seconds):
            await process.wait()

    def kill(self, *, agents: bool = True) -> None:
        """End it with KILL, and its agents too unless they are to live on."""
        pid = self._running().pid
        with suppress(psutil.NoSuchProcess):
            harness = psutil.Process(pid)
            doomed = [harness, *(harness.children(recursive=True) if agents else [])]
            harness.suspend()  # it starts nothing while we look
            doomed += [each for each in harness.children(recursive=True) if agents]
            for each in doomed:
                with suppress(psutil.NoSuchProcess):
                    each.kill()

    @property
    def agents_own(self) -> LedgerTotals:
        """What this machine's scripted agents wrote down themselves."""
        return read_ledgers(self.home / "scripted-agent" / "ledger")

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise ValueError(f"{self.name} was never at work")
        return self._process
