"""Where Codex keeps its sessions, and who reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from acd.agents.codex.rollout import AGENT, Rollout
from acd.agents.folders import files_below, home_folder
from acd.agents.history import Entry, HistoryFile, LineReader
from acd.core.settings import Settings

_FOLDERS = ("sessions", "archived_sessions")
_NAME = re.compile(r"rollout-.*?(?P<thread>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?\.jsonl")
_PACKED = ".zst"
_LEFT_OUT = "packed by Codex; unpack it beside where it is (`zstd -d FILE`), then import again"


class CodexHistory:
    """Rollout files: `sessions/YYYY/MM/DD/rollout-<time>-<thread>.jsonl`, moved to `archived_sessions/` later.

    Which session a file belongs to is told inside it: a subagent's thread has a file like any other. Old files that
    Codex has packed (`.jsonl.zst`) are left out: Python 3.11 cannot unpack them.
    """

    name = AGENT
    provider = "openai"
    from_anywhere = False

    def roots(self, settings: Settings, environ: Mapping[str, str]) -> list[Path]:
        """`CODEX_HOME`, else `~/.codex`."""
        return [home_folder(environ, "CODEX_HOME", ".codex")]

    def files(self, root: Path) -> Iterable[HistoryFile]:
        """Rollout files, whichever folder above them is named."""
        named = [root / folder for folder in _FOLDERS]
        for top in [folder for folder in named if folder.is_dir()] or [root]:
            for path in files_below(top):
                file = _file(path)
                if file is not None:
                    yield file

    def reader(self, file: HistoryFile, *, told: bool) -> LineReader:
        """A reader that remembers model, turn and running total."""
        found = _NAME.fullmatch(file.path.name)
        thread = found["thread"] if found else None
        return Rollout(thread or file.path.stem, told=told)

    def entries(
        self, file: HistoryFile, after: str, *, told: bool, only: str | None = None
    ) -> Iterable[Entry]:
        """It keeps no stores."""
        return ()


def _file(path: Path) -> HistoryFile | None:
    plain = path.name.removesuffix(_PACKED)
    if not _NAME.fullmatch(plain):
        return None
    if plain == path.name:
        return HistoryFile(path, path.name)
    if path.with_name(plain).exists():
        return None  # Codex itself prefers the plain one
    return HistoryFile(path, plain, left_out=_LEFT_OUT)
