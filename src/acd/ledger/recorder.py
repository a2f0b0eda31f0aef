"""The recorder of a process: hears which folders have news and records them, whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from acd.core.errors import AcdError, DatabaseAway
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.ledger.catch_up import Source, open_source
from acd.ledger.lookout import Lookout
from acd.ledger.pending import Backlog, Pending, by_folder, pending_folders
from acd.ledger.price import PriceList

__all__ = ["Pending", "Recorder", "pending_folders"]

logger = logging.getLogger("acd.ledger")

_FIRST_WAIT = 0.2
_LONGEST_WAIT = 2.0  # the first good record comes within 5 s of the database's return


class Recorder:
    """Records folders in the background, each after it was rung for. While the database is away, it waits and tries again.

        async with Recorder(database, settings) as recorder:
            recorder.ring(folder)
            await recorder.settle(10)

    Ringing never blocks and never fails: the files are safe, recording is only a matter of time.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._lookout = Lookout(database, settings)
        self._prices = PriceList()
        self._sources: dict[Path, Source] = {}
        self._rung: dict[Path, None] = {}
        self._troubles: dict[Path, str] = {}
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop: asyncio.Task[None] | None = None
        self.away_since: float | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._record(), name="recorder")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop

    def ring(self, folder: SessionFolder) -> None:
        """Say that a session's folder has news."""
        self._ring(folder.path)

    def _ring(self, path: Path) -> None:
        self._rung[path] = None
        self._idle.clear()
        self._news.set()

    async def settle(self, timeout: float) -> bool:
        """Wait until everything rung for so far is in the database; False when that takes longer than `timeout` seconds.

        A folder that cannot be recorded for another reason than an outage is said in the log and not waited for.

        Raises:
            Exception: what ended the recording, as a defect of ours does: better heard here than waited for in vain.
        """
        idle = asyncio.create_task(self._idle.wait())
        waiting: set[asyncio.Task[object]] = {idle, *([self._loop] if self._loop else [])}
        try:
            await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            idle.cancel()
        if self._loop is not None and self._loop.done() and not self._loop.cancelled():
            self._loop.result()
        return self._idle.is_set()

    async def catch_up_all(self) -> Pending:
        """Ring for every folder of this machine that holds more than the database knows; how much that is.

        Raises:
            DatabaseAway: nobody can say what it knows.
        """
        waiting = by_folder(await self._lookout.look())
        for path in waiting:
            if path in self._troubles:
                self._sources.pop(
                    path, None
                )  # a fresh look, without a rest: perhaps the cause is gone
            self._ring(path)
        return Pending(len(waiting), sum(waiting.values()))

    @property
    def troubles(self) -> dict[Path, str]:
        """Folders that could not be recorded when they were last rung for, each with the reason."""
        return dict(self._troubles)

    async def backlog(self) -> Backlog:
        """How much of this machine waits, and since when.

        Raises:
            DatabaseAway: nobody can say what is recorded.
        """
        return await self._lookout.backlog()

    async def _record(self) -> None:
        wait = _FIRST_WAIT
        while True:
            await self._news.wait()
            self._news.clear()
            while self._rung:
                path = next(iter(self._rung))
                del self._rung[path]
                try:
                    await self._record_folder(path)
                except DatabaseAway as error:
                    self._rung[path] = None
                    self._tell_away(error)
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, _LONGEST_WAIT)
                except (AcdError, OSError) as error:
                    self._tell_trouble(path, error)
                else:
                    wait = _FIRST_WAIT
                    self._tell_back()
            if not self._news.is_set():
                self._idle.set()

    async def _record_folder(self, path: Path) -> None:
        source = self._sources.get(path)
        if source is None:
            source = open_source(path, self._database, self._prices, host=self._settings.host_name)
            if source is None:
                self._troubles[path] = (
                    "its journal holds no first fact, so nobody knows whose lines they are"
                )
                return
            self._sources[path] = source
        await source.catch_up()
        self._troubles.pop(path, None)
        if source.ended:
            del self._sources[path]

    def _tell_away(self, error: DatabaseAway) -> None:
        if self.away_since is None:
            self.away_since = asyncio.get_running_loop().time()
            logger.warning(
                "database away (%s): sessions go on, their files are safe, and they are recorded when it is back",
                error,
            )

    def _tell_trouble(self, path: Path, error: AcdError | OSError) -> None:
        """One folder's trouble holds up no other; it is tried again when it is rung for again, and said once."""
        reason = str(error)
        if self._troubles.get(path) != reason:
            self._troubles[path] = reason
            logger.error("%s cannot be recorded now: %s", path, error, exc_info=error)

    def _tell_back(self) -> None:
        if self.away_since is not None:
            seconds = asyncio.get_running_loop().time() - self.away_since
            self.away_since = None
            logger.warning("database back after %.0f s: recording what has waited", seconds)
