"""Where OpenCode keeps its sessions, and who reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from acd.agents.folders import files_below, user_home
from acd.agents.history import Entry, HistoryFile, LineReader
from acd.agents.opencode.database import database_entries
from acd.agents.opencode.documents import document_entries
from acd.agents.opencode.message import AGENT
from acd.core.errors import UnreadableLine
from acd.core.settings import Settings

_DATABASE = re.compile(r"opencode(?:-[\w.-]+)?\.db")


class OpenCodeHistory:
    """A database `opencode.db` (one more for each release channel), and the JSON documents of older versions.

    Versions since 1.2 or so copy the documents into the database and leave them where they are: both are read, and what
    is in both is the same request.
    """

    name = AGENT
    provider = "openrouter"
    from_anywhere = True

    def roots(self, settings: Settings, environ: Mapping[str, str]) -> list[Path]:
        """`opencode` in `XDG_DATA_HOME` (else `~/.local/share`), and the database that `OPENCODE_DB` names."""
        data = environ.get("XDG_DATA_HOME")
        share = Path(data) if data else user_home(environ) / ".local" / "share"
        usual = share / "opencode"
        chosen = environ.get("OPENCODE_DB")
        if not chosen or chosen == ":memory:":
            return [usual]
        return [usual, usual / chosen]  # an absolute path stands for itself

    def files(self, root: Path) -> Iterable[HistoryFile]:
        """Databases in the folder, and messages below its `storage`."""
        if root.is_file():
            if root.suffix == ".db":
                yield HistoryFile(root, root.name, form="store")
            elif root.suffix == ".json" and root.parent.parent.name == "message":
                yield _document(root)
            return
        for path in _databases(root):
            yield HistoryFile(path, path.name, form="store")
        messages = root / "storage" / "message"
        for path in files_below(messages):
            if path.suffix == ".json":
                yield _document(path)

    def reader(self, file: HistoryFile, *, told: bool) -> LineReader:
        """Never called: it keeps no files of lines.

        Raises:
            UnreadableLine: always.
        """
        raise UnreadableLine("no file of lines")

    def entries(
        self, file: HistoryFile, after: str, *, told: bool, only: str | None = None
    ) -> Iterable[Entry]:
        """The messages of a database, or the one of a document.

        Raises:
            UnreadableLine: with a short reason.
        """
        if file.path.suffix == ".json":
            return document_entries(file.path, told=told)
        return database_entries(file.path, after, told=told, only=only)


def _document(path: Path) -> HistoryFile:
    return HistoryFile(path, f"{path.parent.name}/{path.name}", form="store")


def _databases(root: Path) -> list[Path]:
    try:
        found = sorted(root.iterdir())
    except OSError:
        return []
    return [p for p in found if _DATABASE.fullmatch(p.name) and p.is_file() and not p.is_symlink()]
