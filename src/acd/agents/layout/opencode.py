"""Where OpenCode keeps its sessions: a database `opencode.db` (one more for each release channel), and JSON documents of older versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from acd.agents.folders import files_below, user_home
from acd.agents.layout.file import HistoryFile
from acd.files.there import is_file, is_link

_DATABASE = re.compile(r"opencode(?:-[\w.-]+)?\.db")


def roots(environ: Mapping[str, str]) -> list[Path]:
    """`opencode` in `XDG_DATA_HOME` (else `~/.local/share`), and the database that `OPENCODE_DB` names."""
    data = environ.get("XDG_DATA_HOME")
    share = Path(data) if data else user_home(environ) / ".local" / "share"
    usual = share / "opencode"
    chosen = environ.get("OPENCODE_DB")
    if not chosen or chosen == ":memory:":
        return [usual]
    return [usual, usual / chosen]  # an absolute path stands for itself


def files(root: Path) -> Iterator[HistoryFile]:
    """Databases in the folder, and messages below its `storage`."""
    if is_file(root):
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


def _document(path: Path) -> HistoryFile:
    return HistoryFile(path, f"{path.parent.name}/{path.name}", form="store")


def _databases(root: Path) -> list[Path]:
    try:
        found = sorted(root.iterdir())
    except OSError:
        return []
    return [p for p in found if _DATABASE.fullmatch(p.name) and is_file(p) and not is_link(p)]
