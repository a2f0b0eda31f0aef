"""What waits to be recorded, for a program that asks again and again.

A machine keeps a folder of every session it ever worked. One whose session has ended, whose files are read to their end
and have not changed for ten minutes is settled, and left out of the next looks. Because somebody may write to it all the
same, it is looked at again an hour later, at most 500 of them at a look. So a look costs as much as is going on, and only
what is added to a session long ended is told late.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import is_uuid
from acd.ledger.pending import (
    Backlog,
    Known,
    Waiting,
    files_in,
    folder_name,
    known_from,
    summed,
    waiting_in,
)

_QUIET_S = 600.0
_AGAIN_S = 3600.0
_AT_A_TIME = 500
# A folder that is made in the same tick of the file system's clock as another leaves its parent's time as it was.
_TICK_S = 2.0


class _Seen(NamedTuple):
    """What a folder holds beyond what is recorded, and for how long nothing in it has changed."""

    waiting: list[Waiting]
    quiet_s: float


class Lookout:
    """Looks at the folders of this machine, for one program: it remembers those that need no second look."""

    def __init__(
        self, database: Database, settings: Settings, *, again_s: float = _AGAIN_S
    ) -> None:
        self._database = database
        self._settings = settings
        self._again_s = again_s
        self._open: set[str] = set()
        self._settled: dict[str, float] = {}
        self._listed = (-1, 0.0)
        self._one_at_a_time = asyncio.Lock()

    @property
    def settled(self) -> int:
        """How many folders are left out of the next look."""
        return len(self._settled)

    async def backlog(self) -> Backlog:
        """How much waits, and since when.

        Raises:
            DatabaseAway: nobody can say what is recorded.
        """
        return summed(await self.look())

    async def look(self) -> list[Waiting]:
        """The files that hold more than is recorded.

        Raises:
            DatabaseAway: nobody can say what is recorded.
        """
        sessions, targets = self._settings.sessions_dir, self._settings.targets_dir
        async with self._one_at_a_time:
            await asyncio.to_thread(self._list_sessions)
            self._take_up_again()
            waiting: list[Waiting] = []
            for names in _parts(self._open):
                waiting += await self._look_at(sessions, names)
            for names in _parts(await asyncio.to_thread(_names, targets)):
                waiting += await self._look_at(targets, names)
            return waiting

    def _list_sessions(self) -> None:
        """Find new folders. The time of the folder above tells whether there can be any."""
        folder = self._settings.sessions_dir
        changed = folder.stat().st_mtime_ns if folder.exists() else 0
        if self._listed[0] != changed or self._listed[1] < changed / 1e9 + _TICK_S:
            self._listed = (changed, time.time())
            self._open |= _names(folder) - self._settled.keys()

    def _take_up_again(self) -> None:
        """The folders that were settled long ago; they stand in the order in which they were."""
        long_ago = time.monotonic() - self._again_s
        for name in [*islice(self._settled, _AT_A_TIME)]:
            if self._settled[name] <= long_ago:
                del self._settled[name]
                self._open.add(name)

    async def _look_at(self, parent: Path, names: list[str]) -> list[Waiting]:
        rows = await self._database.fetch_all(
            "pending.files_of_folders",
            host=self._settings.host_name,
            ids=[UUID(name) for name in names],
        )
        known = known_from(rows)
        ended = {folder_name(row) for row in rows if row["ended"]}
        seen = await asyncio.to_thread(lambda: {name: _see(parent / name, known) for name in names})
        for name, found in seen.items():
            if found is None:
                self._open.discard(name)
            elif name in ended and not found.waiting and found.quiet_s > _QUIET_S:
                self._open.discard(name)
                self._settled[name] = time.monotonic()
        return [one for found in seen.values() if found for one in found.waiting]


def _see(folder: Path, known: Known) -> _Seen | None:
    """None: it is gone."""
    try:
        times = [path.stat().st_mtime for path in files_in(folder)]
        return _Seen([*waiting_in(folder, known)], time.time() - max(times, default=time.time()))
    except FileNotFoundError:
        return None
    except PermissionError:
        return _Seen([*waiting_in(folder, known)], 0.0)


def _names(folder: Path) -> set[str]:
    """The folders of ours in a folder; names as we write them, so that each is found again by its id."""
    try:
        with os.scandir(folder) as entries:  # there may be tens of thousands
            names = {entry.name for entry in entries}
        return {name for name in names if is_uuid(name) and str(UUID(name)) == name}
    except FileNotFoundError:
        return set()


def _parts(names: Iterable[str]) -> Iterator[list[str]]:
    ordered = iter(sorted(names))
    while part := [*islice(ordered, _AT_A_TIME)]:
        yield part
