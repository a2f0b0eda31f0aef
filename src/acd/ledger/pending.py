"""What this machine's files hold that the database does not. Apart from the recorder, so that asking costs no import."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder, session_folders, target_journals

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


class Read(NamedTuple):
    """How far a file was read, and how many seconds ago."""

    offset: int
    age_s: float


class Waiting(NamedTuple):
    """A file with more than is recorded; `since_s` seconds ago it may have got it."""

    folder: Path
    bytes: int
    since_s: float


Known = Mapping[tuple[str, str], Read]
"""By the name of the folder and the file's name in it."""


async def pending_folders(database: Database, settings: Settings) -> dict[Path, int]:
    """Folders of this machine that hold more than the database knows, with how many bytes each.

    It looks at all of them; who asks again and again has a `Lookout`.

    Raises:
        DatabaseAway: nobody can say what it knows.
    """
    rows = await database.fetch_all("pending.files_of_host", host=settings.host_name)
    known = known_from(rows)
    # There may be tens of thousands of folders: whoever serves meanwhile goes on serving.
    return by_folder(await asyncio.to_thread(lambda: list(_waiting(settings, known))))


def by_folder(waiting: Iterable[Waiting]) -> dict[Path, int]:
    """How many bytes of each folder wait."""
    folders: dict[Path, int] = {}
    for one in waiting:
        folders[one.folder] = folders.get(one.folder, 0) + one.bytes
    return folders


def summed(waiting: list[Waiting]) -> Backlog:
    """How much that is in all, and since when."""
    return Backlog(
        folders=len({one.folder for one in waiting}),
        bytes=sum(one.bytes for one in waiting),
        lag_s=max((one.since_s for one in waiting), default=0.0),
    )


def known_from(rows: Iterable[Mapping[str, Any]]) -> Known:
    """What rows of `pending.files_of_…` say."""
    return {(folder_name(row), row["name"]): Read(row["read_offset"], row["age_s"]) for row in rows}


def folder_name(row: Mapping[str, Any]) -> str:
    """The name of the folder that a file stands in."""
    return str(row["target_id"] if row["session_id"] == _NO_SESSION else row["session_id"])


def _waiting(settings: Settings, known: Known) -> Iterator[Waiting]:
    for folder in session_folders(settings.sessions_dir):
        yield from waiting_in(folder.path, known)
    for journal in target_journals(settings.targets_dir):
        yield from waiting_in(journal.path.parent, known)


def waiting_in(folder: Path, known: Known) -> Iterator[Waiting]:
    """The files of a session's folder, or of a target's, that hold more than is recorded.

    A folder that may not be read waits with 0 bytes: whoever records it meets the reason.

    Raises:
        FileNotFoundError: the folder is being removed.
    """
    try:
        files = files_in(folder)
    except PermissionError:
        yield Waiting(folder, 0, 0.0)
        return
    for path in files:
        read = known.get((folder.name, path.relative_to(folder).as_posix()))
        left = path.stat().st_size - (read.offset if read else 0)
        if left > 0:
            yield Waiting(folder, left, read.age_s if read else _age_of(folder))


def files_in(folder: Path) -> list[Path]:
    """The files of a folder that are recorded; none before it has a journal."""
    session = SessionFolder(folder)
    if not session.journal.path.exists():
        return []
    files = [session.journal.path, session.stream, *session.transcripts.glob("*.jsonl")]
    return [path for path in files if path.exists()]


def _age_of(folder: Path) -> float:
    """Seconds since the folder was made: by the oldest of its entries, because no file system of ours keeps that."""
    with os.scandir(folder) as entries:
        oldest = min((entry.stat().st_mtime for entry in entries), default=time.time())
    return max(time.time() - oldest, 0.0)
