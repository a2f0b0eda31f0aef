"""The files of agents' histories that are there now: by names and `stat` alone, with nothing loaded for reading them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from acd.agents.layout.file import HistoryFile


class Lists(Protocol):
    """What lists the files of a history: `acd.agents.history.History`, or its layout alone."""

    def files(self, root: Path, /) -> Iterable[HistoryFile]:
        """Files at or below a folder."""
        ...


ListsT = TypeVar("ListsT", bound=Lists)


class Stamp(NamedTuple):
    """What a file looks like. With any of them changed it may hold something new."""

    inode: int
    size: int
    mtime_ns: int


def sightings(
    histories: Iterable[tuple[ListsT, Sequence[Path]]], known: Iterable[str]
) -> Iterator[tuple[ListsT, HistoryFile, Stamp]]:
    """Every file of some histories below their roots, each once, whichever way leads to it.

    Args:
        histories: each with its roots.
        known: paths of all files that were imported. One that is left out and was imported under its own name, before
            it was packed, is none.
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
                    stat = os.stat(str(file.path))  # noqa: PTH116 - tens of thousands of files: half the time
                except OSError:
                    continue  # gone meanwhile
                # ~/.config/claude may be a link to ~/.claude, and a transcript a hard link of another.
                if (stat.st_dev, stat.st_ino) in met:
                    continue
                met.add((stat.st_dev, stat.st_ino))
                yield history, file, _stamp_of(file, stat)


def _stamp_of(file: HistoryFile, stat: os.stat_result) -> Stamp:
    if file.form == "lines":
        return Stamp(stat.st_ino, stat.st_size, stat.st_mtime_ns)
    journals = [*_journals_of(file.path)]  # what a database has not merged yet
    size = stat.st_size + sum(journal.st_size for journal in journals)
    mtime_ns = max([stat.st_mtime_ns, *(journal.st_mtime_ns for journal in journals)])
    return Stamp(stat.st_ino, size, mtime_ns)


def _journals_of(store: Path) -> Iterator[os.stat_result]:
    for ending in ("-wal", "-journal"):
        try:
            yield os.stat(f"{store}{ending}")  # noqa: PTH116
        except OSError:
            continue
