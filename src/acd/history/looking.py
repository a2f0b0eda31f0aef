"""Which files of agents' histories are there, and which of them hold something that is not recorded yet: by `stat` alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from acd.agents.history import History, HistoryFile
from acd.database.connection import Database
from acd.history.done import Unread


class Known(NamedTuple):
    """What is remembered of a file since it was read last. `seen` is the JSON of `acd.history.seen.Seen`."""

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
        return known is None or (known.inode, known.size, known.mtime_ns) != (
            self.inode,
            self.size,
            self.mtime_ns,
        )

    @property
    def waiting(self) -> int:
        """Bytes to read, about."""
        read = self.known.read_offset if self.known is not None else 0
        return self.size - read if self.size > read else self.size


Roots = Sequence[tuple[History, Sequence[Path]]]
"""Histories, each with the folders or files to look at."""


async def find(database: Database, host: str, roots: Roots) -> list[Found]:
    """All files of some histories, with what is known of them.

    Raises:
        DatabaseAway: nobody can say what is known.
    """
    rows = await database.fetch_all("history.known", host=host)
    known = {row.pop("name"): Known(**row) for row in rows}
    return await asyncio.to_thread(lambda: list(look(roots, known)))


def passed_over(found: Sequence[Found]) -> list[Unread]:
    """Files that are not read, by their names alone, and why."""
    return [Unread(str(f.file.path), f.file.left_out) for f in found if f.file.left_out]


def look(histories: Roots, known: Mapping[str, Known]) -> Iterator[Found]:
    """Every file of the histories below their roots, each once, whichever way leads to it; `known` by path.

    One that is left out and was imported under its own name, before it was packed, is none.
    """
    names: set[str] | None = None
    met: set[tuple[int, int]] = set()
    for history, roots in histories:
        for root in roots:
            for file in history.files(root):
                if file.left_out:
                    names = {os.path.basename(one) for one in known} if names is None else names  # noqa: PTH119 - half the time
                    if file.name in names:
                        continue
                try:
                    stat = os.stat(file.path)  # noqa: PTH116 - tens of thousands of files: half the time
                except OSError:
                    continue  # gone meanwhile
                # ~/.config/claude may be a link to ~/.claude, and a transcript a hard link of another.
                if (stat.st_dev, stat.st_ino) in met:
                    continue
                met.add((stat.st_dev, stat.st_ino))
                size = (
                    stat.st_size
                    if file.form == "lines"
                    else _size_of_store(file.path, stat.st_size)
                )
                mtime = (
                    stat.st_mtime_ns
                    if file.form == "lines"
                    else _mtime_of_store(file.path, stat.st_mtime_ns)
                )
                yield Found(history, file, stat.st_ino, size, mtime, known.get(str(file.path)))


def _journals_of(store: Path) -> Iterator[os.stat_result]:
    for ending in ("-wal", "-journal"):
        try:
            yield os.stat(f"{store}{ending}")  # noqa: PTH116
        except OSError:
            continue


def _size_of_store(store: Path, size: int) -> int:
    """With what its database has not merged yet."""
    return size + sum(stat.st_size for stat in _journals_of(store))


def _mtime_of_store(store: Path, mtime_ns: int) -> int:
    return max([mtime_ns, *(stat.st_mtime_ns for stat in _journals_of(store))])
