"""Which files of agents' histories are there, and which of them hold something that is not recorded yet: by `stat` alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from acd.agents.history import History, HistoryFile
from acd.database.connection import Database
from acd.history.done import Unread
from acd.history.sighting import Stamp, sightings


class Known(NamedTuple):
    """What is remembered of a file since it was read last."""

    target_id: UUID
    session_id: UUID
    inode: int
    size: int
    mtime_ns: int
    read_offset: int


class Found(NamedTuple):
    """A file of an agent's history and what it looks like now."""

    history: History
    file: HistoryFile
    inode: int
    size: int
    mtime_ns: int
    known: Known | None

    @property
    def changed(self) -> bool:
        """Whether it may hold something new that can be read."""
        known = self.known
        if self.file.left_out:
            return False
        return known is None or Stamp(known.inode, known.size, known.mtime_ns) != Stamp(
            self.inode, self.size, self.mtime_ns
        )

    @property
    def waiting(self) -> int:
        """Bytes to read, about."""
        read = self.known.read_offset if self.known is not None else 0
        return self.size - read if self.size > read else self.size


Roots = Sequence[tuple[History, Sequence[Path]]]
"""Histories, each with the folders or files to look at."""

_Row = tuple[str, int, int, int, int, UUID, UUID]


async def find(database: Database, host: str, roots: Roots) -> list[Found]:
    """All files of some histories, with what is known of them.

    Raises:
        DatabaseAway: nobody can say what is known.
    """
    rows = await database.fetch_json("history.known", host=host) or b"[]"
    known = {
        name: Known(target, session, inode, size, mtime_ns, offset)
        for name, inode, size, mtime_ns, offset, target, session in msgspec.json.decode(
            rows, type=list[_Row]
        )
    }
    return await asyncio.to_thread(lambda: list(look(roots, known)))


def passed_over(found: Sequence[Found]) -> list[Unread]:
    """Files that are not read, by their names alone, and why."""
    return [Unread(str(f.file.path), f.file.left_out) for f in found if f.file.left_out]


def look(histories: Roots, known: Mapping[str, Known]) -> Iterator[Found]:
    """Every file of the histories below their roots, each once, whichever way leads to it; `known` by path."""
    for history, file, stamp in sightings(histories, known):
        yield Found(history, file, *stamp, known.get(str(file.path)))
