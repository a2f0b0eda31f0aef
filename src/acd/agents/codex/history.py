"""Where Codex keeps its sessions, and who reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from acd.agents.codex.rollout import AGENT, Rollout
from acd.agents.history import Entry, HistoryFile, LineReader
from acd.agents.layout import codex as layout
from acd.core.settings import Settings


class CodexHistory:
    """Rollout files: `sessions/YYYY/MM/DD/rollout-<time>-<thread>.jsonl`, moved to `archived_sessions/` later.

    Which session a file belongs to is told inside it: a subagent's thread has a file like any other. Old files that
    Codex has packed (`.jsonl.zst`) are left out: Python 3.11 cannot unpack them.
    """

    name = AGENT
    provider = "openai"
    from_anywhere = False

    def roots(self, settings: Settings, environ: Mapping[str, str]) -> list[Path]:
        """See `acd.agents.layout.codex`."""
        return layout.roots(environ)

    def files(self, root: Path) -> Iterable[HistoryFile]:
        """See `acd.agents.layout.codex`."""
        return layout.files(root)

    def reader(self, file: HistoryFile, *, told: bool) -> LineReader:
        """A reader that remembers model, turn and running total."""
        return Rollout(layout.thread_in(file.path.name) or file.path.stem, told=told)

    def entries(
        self, file: HistoryFile, after: str, *, told: bool, only: str | None = None
    ) -> Iterable[Entry]:
        """It keeps no stores."""
        return ()
