"""Where the program of Claude Code is. It is located, not started."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from acd.core.errors import AgentMissing

_PROGRAM = "claude"
_PACKAGE = "claude_agent_sdk"


def locate(setting: Path | None) -> Path:
    """The program named by the setting; else `claude` on PATH; else the one that the Python package brings.

    Raises:
        AgentMissing: none of them is there, or the setting names no program.
    """
    if setting is not None:
        path = setting.expanduser().absolute()
        if not _is_program(path):
            raise AgentMissing(f"ACD_CLAUDE_BINARY names {path}, which is no program")
        return path
    on_path = shutil.which(_PROGRAM)
    if on_path is not None:
        return Path(on_path).absolute()
    for folder in _package_folders():
        bundled = folder / "_bundled" / _PROGRAM
        if _is_program(bundled):
            return bundled
    raise AgentMissing(
        "Claude Code was not found: install it so that `claude` is on PATH, "
        "or `pip install 'acd-harness[claude]'`, or set ACD_CLAUDE_BINARY"
    )


def _package_folders() -> list[Path]:
    # The package is looked up, not imported: importing it would start half of its SDK.
    spec = find_spec(_PACKAGE)
    places = spec.submodule_search_locations if spec else None
    return [Path(place) for place in places or ()]


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
