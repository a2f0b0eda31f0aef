"""Where Codex keeps its rollouts: `sessions/YYYY/MM/DD/rollout-<time>-<thread>.jsonl`, moved to `archived_sessions/` later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from acd.agents.folders import files_below, home_folder
from acd.agents.layout.file import HistoryFile
from acd.files.there import is_folder, is_there

_FOLDERS = ("sessions", "archived_sessions")
_NAME = re.compile(r"rollout-.*?(?P<thread>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?\.jsonl")
_PACKED = ".zst"
_LEFT_OUT = "packed by Codex; unpack it beside where it is (`zstd -d FILE`), then import again"


def roots(environ: Mapping[str, str]) -> list[Path]:
    """`CODEX_HOME`, else `~/.codex`."""
    return [home_folder(environ, "CODEX_HOME", ".codex")]


def files(root: Path) -> Iterator[HistoryFile]:
    """Rollout files, whichever folder above them is named. Old ones that Codex has packed (`.jsonl.zst`) are left out."""
    named = [root / folder for folder in _FOLDERS]
    for top in [folder for folder in named if is_folder(folder)] or [root]:
        for path in files_below(top):
            file = _file(path)
            if file is not None:
                yield file


def thread_in(name: str) -> str | None:
    """The thread that a file's name tells; None: no rollout, or an old one."""
    found = _NAME.fullmatch(name)
    return found["thread"] if found else None


def _file(path: Path) -> HistoryFile | None:
    plain = path.name.removesuffix(_PACKED)
    if not _NAME.fullmatch(plain):
        return None
    if plain == path.name:
        return HistoryFile(path, path.name)
    if is_there(path.with_name(plain)):
        return None  # Codex itself prefers the plain one
    return HistoryFile(path, plain, left_out=_LEFT_OUT)
