"""What this machine's files hold that the database does not. Apart from the recorder, so that asking costs no import."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NamedTuple

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder, session_folders, target_journals

_JOURNAL = "journal.jsonl"


class Pending(NamedTuple):
    """What this machine's files hold that the database does not: how many folders, how many bytes."""

    folders: int
    bytes: int


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
            "ledger.progress_of_journals", host=socket.gethostname(), name=_JOURNAL
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
