"""Where Qwen Code keeps its chats: `projects/<folder>/chats/<session>.jsonl`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from acd.agents.folders import files_below, home_folder
from acd.agents.layout.file import HistoryFile
from acd.files.there import is_folder

_CHATS = "chats"
_OF_GEMINI = "session-"  # Gemini CLI, from which Qwen Code was made, names its chats so


def roots(environ: Mapping[str, str]) -> list[Path]:
    """`QWEN_RUNTIME_DIR`, else `QWEN_HOME`, else `~/.qwen`."""
    moved = "QWEN_RUNTIME_DIR" if environ.get("QWEN_RUNTIME_DIR") else "QWEN_HOME"
    return [home_folder(environ, moved, ".qwen")]


def files(root: Path) -> Iterator[HistoryFile]:
    """Chats below `projects`, or wherever such a folder was copied to."""
    top = root / "projects"
    for path in files_below(top if is_folder(top) else root):
        ours = path.parent.name == _CHATS and not path.name.startswith(_OF_GEMINI)
        if ours and path.suffix == ".jsonl":
            yield HistoryFile(path, path.name, path.stem)
