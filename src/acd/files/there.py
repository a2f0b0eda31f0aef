"""Whether something is there, for names that come from elsewhere."""

from __future__ import annotations

from pathlib import Path


def is_there(path: Path) -> bool:
    """Whether a file or folder is there, as far as we may look.

    `Path.exists` raises where a folder may not be entered or a name is too long.
    """
    try:
        return path.exists()
    except OSError:
        return False
