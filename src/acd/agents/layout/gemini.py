"""Where Gemini CLI keeps its chats: `tmp/<project>/chats/session-<time>-<id>.jsonl`; a subagent's in a folder named after its session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from acd.agents.folders import files_below, user_home
from acd.agents.layout.file import HistoryFile
from acd.files.there import is_folder

_CHATS = "chats"
_BEGINNING = "session-"


def roots(environ: Mapping[str, str]) -> list[Path]:
    """`.gemini` in `GEMINI_CLI_HOME`, else in the user's home."""
    moved = environ.get("GEMINI_CLI_HOME")
    home = Path(moved).expanduser().absolute() if moved else user_home(environ)
    return [home / ".gemini"]


def files(root: Path) -> Iterator[HistoryFile]:
    """Chats below `tmp`, or wherever a folder of them was copied to."""
    top = root / "tmp"
    for path in files_below(top if is_folder(top) else root):
        yield from _file(path)


def _file(path: Path) -> Iterator[HistoryFile]:
    above = path.parent
    if above.name == _CHATS and path.name.startswith(_BEGINNING):
        if path.suffix == ".jsonl":
            yield HistoryFile(path, path.name)
        elif path.suffix == ".json":
            yield HistoryFile(path, path.name, form="store")
    elif above.parent.name == _CHATS and path.suffix == ".jsonl":
        yield HistoryFile(path, path.name, above.name, subagent=True)
