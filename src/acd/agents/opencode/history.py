"""Where OpenCode keeps its sessions, and who reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from acd.agents.history import Entry, HistoryFile, LineReader
from acd.agents.layout import opencode as layout
from acd.agents.opencode.database import database_entries
from acd.agents.opencode.documents import document_entries
from acd.agents.opencode.message import AGENT
from acd.core.errors import UnreadableLine
from acd.core.settings import Settings


class OpenCodeHistory:
    """A database `opencode.db` (one more for each release channel), and the JSON documents of older versions.

    Versions since 1.2 or so copy the documents into the database and leave them where they are: both are read, and what
    is in both is the same request.
    """

    name = AGENT
    provider = "openrouter"
    from_anywhere = True

    def roots(self, settings: Settings, environ: Mapping[str, str]) -> list[Path]:
        """See `acd.agents.layout.opencode`."""
        return layout.roots(environ)

    def files(self, root: Path) -> Iterable[HistoryFile]:
        """See `acd.agents.layout.opencode`."""
        return layout.files(root)

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
