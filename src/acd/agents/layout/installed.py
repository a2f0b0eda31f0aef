"""Whose history this installation can read, without `importlib.metadata`: that takes 40 ms to load, this 3 ms in all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

from acd.agents.layout import claude_code, codex, gemini, opencode, qwen
from acd.agents.layout.file import HistoryFile

_SECTION = "[acd.histories]"
_FOLDERS = (".dist-info", ".egg-info")


class Layout(NamedTuple):
    """How the files of a history are found; `entry` is what its entry point names."""

    name: str
    entry: str
    roots: Callable[[Mapping[str, str]], list[Path]]
    files: Callable[[Path], Iterable[HistoryFile]]


LAYOUTS = (
    Layout("claude-code", "acd.agents.claude_code:HISTORY", claude_code.roots, claude_code.files),
    Layout("codex", "acd.agents.codex:HISTORY", codex.roots, codex.files),
    Layout("gemini-cli", "acd.agents.gemini:HISTORY", gemini.roots, gemini.files),
    Layout("opencode", "acd.agents.opencode:HISTORY", opencode.roots, opencode.files),
    Layout("qwen-code", "acd.agents.qwen:HISTORY", qwen.roots, qwen.files),
)
"""Our own histories by name, each as in pyproject.toml (a test holds them together)."""


def only_ours(path: Iterable[str]) -> bool:
    """Whether exactly our own histories are registered in the distributions on an import path; False also where we cannot tell.

    Args:
        path: as `sys.path`.
    """
    if any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder):  # fmt: skip
        return False  # somebody finds distributions in a way of his own
    registered: set[tuple[str, str]] = set()
    for place in dict.fromkeys(path):
        if place.endswith(".egg") or os.path.isfile(place):  # noqa: PTH113 - pathlib takes three times as long
            return False  # a distribution packed as one
        for text in _entry_points(place or "."):
            registered.update(_registered(text))
    return registered == {(layout.name, layout.entry) for layout in LAYOUTS}


def _entry_points(folder: str) -> Iterator[str]:
    """What the distributions of one folder tell of their entry points; what cannot be read tells nothing."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - as above
    except OSError:
        return
    for name in names:
        if not name.endswith(_FOLDERS):
            continue
        try:
            with open(f"{folder}/{name}/entry_points.txt", encoding="utf-8") as file:  # noqa: PTH123
                yield file.read()
        except OSError:
            continue


def _registered(text: str) -> Iterator[tuple[str, str]]:
    inside = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == _SECTION
        elif inside and line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()
