"""What is there, for names that come from elsewhere: `Path`'s own raise where a folder may not be entered (Python 3.11)."""

from __future__ import annotations

import os
from pathlib import Path


def is_there(path: Path) -> bool:
    """Whether a file or folder is there, as far as we may look."""
    return os.path.exists(path)  # noqa: PTH110


def is_folder(path: Path) -> bool:
    """Whether it is a folder, or a link to one, as far as we may look."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Whether it is a file, or a link to one, as far as we may look."""
    return os.path.isfile(path)  # noqa: PTH113


def is_link(path: Path) -> bool:
    """Whether it is a link, as far as we may look."""
    return os.path.islink(path)  # noqa: PTH114
