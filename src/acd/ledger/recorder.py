"""The recorder of a process: hears which folders have news and records them, whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from acd.core.errors import DatabaseAway
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder, session_folders, target_journals
from acd.ledger.catch_up import Source, open_source
from acd.ledger.fold import JOURNAL
from acd.ledger.price import PriceList

logger = logging.getLogger("acd.ledger")

_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0


class Pending(NamedTuple):
    """What this machine's files hold that the database does not: how many folders, how many bytes."""

    folders: int
    bytes: int


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
        self._prices = PriceList()
        self._sources: dict[Path, Source] = {}
        self._rung: dict[Path, None] = {}
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
        """Wait until everything rung for so far is in the database; False when that takes longer than `timeout` seconds."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def catch_up_all(self) -> Pending:
        """Ring for every folder of this machine that holds more than the database knows; how much that is.

        Raises:
            DatabaseAway: nobody can say what it knows.
        """
        waiting = await pending_folders(self._database, self._settings)
        for path in waiting:
            self._ring(path)
        return Pending(len(waiting), sum(waiting.values()))

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
                else:
                    wait = _FIRST_WAIT
                    self._tell_back()
            if not self._news.is_set():
                self._idle.set()

    async def _record_folder(self, path: Path) -> None:
        source = self._sources.get(path)
        if source is None:
            source = open_source(path, self._database, self._prices)
            if source is None:
                return
            self._sources[path] = source
        await source.catch_up()
        if source.ended:
            del self._sources[path]

    def _tell_away(self, error: DatabaseAway) -> None:
        if self.away_since is None:
            self.away_since = asyncio.get_running_loop().time()
            logger.warning(
                "database away (%s): sessions go on, their files are safe, and they are recorded when it is back",
                error,
            )

    def _tell_back(self) -> None:
        if self.away_since is not None:
            seconds = asyncio.get_running_loop().time() - self.away_since
            self.away_since = None
            logger.warning("database back after %.0f s: recording what has waited", seconds)


async def pending_folders(database: Database, settings: Settings) -> dict[Path, int]:
    """Folders of this machine that hold more than the database knows, with how many bytes each.

    Raises:
        DatabaseAway: nobody can say what it knows.
    """
    rows = await database.fetch_all("ledger.progress_of_host", host=socket.gethostname())
    read = {(str(row["session_id"]), row["name"]): row["read_offset"] for row in rows}
    waiting: dict[Path, int] = {}
    for folder in session_folders(settings.sessions_dir):
        size = sum(
            max(0, path.stat().st_size - read.get((folder.path.name, _name(folder, path)), 0))
            for path in _files(folder)
        )
        if size:
            waiting[folder.path] = size
    known_journals = {
        (str(row["target_id"])): row["read_offset"]
        for row in await database.fetch_all(
            "ledger.progress_of_journals", host=socket.gethostname(), name=JOURNAL
        )
    }
    for journal in target_journals(settings.targets_dir):
        size = journal.path.stat().st_size - known_journals.get(journal.path.parent.name, 0)
        if size > 0:
            waiting[journal.path.parent] = size
    return waiting


def _files(folder: SessionFolder) -> list[Path]:
    files = [folder.journal.path, folder.stream, *folder.transcripts.glob("*.jsonl")]
    return [path for path in files if path.exists()]


def _name(folder: SessionFolder, path: Path) -> str:
    return path.relative_to(folder.path).as_posix()
