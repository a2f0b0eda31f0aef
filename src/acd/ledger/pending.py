"""What this machine's files hold that the database does not. Apart from the recorder, so that asking costs no import."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder, session_folders, target_journals

_JOURNAL = "journal.jsonl"
_NO_SESSION = UUID(int=0)


class Pending(NamedTuple):
    """What this machine's files hold that the database does not: how many folders, how many bytes."""

    folders: int
    bytes: int


class Backlog(NamedTuple):
    """The same, with how far behind the database may be.

    `lag_s` is for how many seconds at most a file has held more than is recorded, as far as the files tell: since it
    was last read, or since its folder was made. 0 when everything is recorded.
    """

    folders: int
    bytes: int
    lag_s: float


class _Read(NamedTuple):
    """How far a file was read, and how many seconds ago."""

    offset: int
    age_s: float


class _Waiting(NamedTuple):
    """A file with more than is recorded; `since_s` seconds ago it may have got it."""

    folder: Path
    bytes: int
    since_s: float


_Known = Mapping[tuple[str, str], _Read]


async def pending_folders(database: Database, settings: Settings) -> dict[Path, int]:
    """Folders of this machine that hold more than the database knows, with how many bytes each.

    Raises:
        DatabaseAway: nobody can say what it knows.
    """
    folders: dict[Path, int] = {}
    for one in await _look(database, settings):
        folders[one.folder] = folders.get(one.folder, 0) + one.bytes
    return folders


async def backlog(database: Database, settings: Settings) -> Backlog:
    """How much that is in all, and since when.

    Raises:
        DatabaseAway: nobody can say what it knows.
    """
    waiting = await _look(database, settings)
    return Backlog(
        folders=len({one.folder for one in waiting}),
        bytes=sum(one.bytes for one in waiting),
        lag_s=max((one.since_s for one in waiting), default=0.0),
    )


async def _look(database: Database, settings: Settings) -> list[_Waiting]:
    rows = await database.fetch_all("pending.files_of_host", host=settings.host_name)
    known = {
        (_owner(row["session_id"], row["target_id"]), row["name"]): _Read(
            row["read_offset"], row["age_s"]
        )
        for row in rows
    }
    # There may be tens of thousands of folders: whoever serves meanwhile goes on serving.
    return await asyncio.to_thread(lambda: list(_waiting(settings, known)))


def _owner(session_id: UUID, target_id: UUID) -> str:
    """The name of the folder that a file stands in."""
    return str(target_id if session_id == _NO_SESSION else session_id)


def _waiting(settings: Settings, known: _Known) -> Iterator[_Waiting]:
    for folder in session_folders(settings.sessions_dir):
        for path in _files(folder):
            yield from _more(folder.path, path, _name(folder, path), known)
    for journal in target_journals(settings.targets_dir):
        yield from _more(journal.path.parent, journal.path, _JOURNAL, known)


def _more(folder: Path, path: Path, name: str, known: _Known) -> Iterator[_Waiting]:
    read = known.get((folder.name, name))
    left = path.stat().st_size - (read.offset if read else 0)
    if left > 0:
        yield _Waiting(folder, left, read.age_s if read else _age_of(folder))


def _age_of(folder: Path) -> float:
    """Seconds since the folder was made: by the oldest of its entries, because no file system of ours keeps that."""
    with os.scandir(folder) as entries:
        oldest = min((entry.stat().st_mtime for entry in entries), default=time.time())
    return max(time.time() - oldest, 0.0)


def _files(folder: SessionFolder) -> list[Path]:
    files = [folder.journal.path, folder.stream, *folder.transcripts.glob("*.jsonl")]
    return [path for path in files if path.exists()]


def _name(folder: SessionFolder, path: Path) -> str:
    return path.relative_to(folder.path).as_posix()
