"""Folders of agents: where they lie by default, and the files below them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from acd.files.there import is_file, is_link


def home_folder(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    """The folder that the variable names, else the one below the user's home.

    Args:
        environ: the environment to read.
        variable: which variable moves the folder.
        below_home: its default place, relative to the home.
    """
    chosen = environ.get(variable)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return user_home(environ) / below_home


def user_home(environ: Mapping[str, str]) -> Path:
    """The user's home by this environment."""
    home = environ.get("HOME")
    return Path(home) if home else Path.home()


def files_below(root: Path) -> Iterator[Path]:
    """Files at or below `root`, sorted by path within each folder; links are not followed, unreadable folders passed over."""
    if is_link(root):
        return
    if is_file(root):
        yield root
        return
    try:
        found = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from files_below(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
        except OSError:
            continue
