"""Where a Claude-like agent's history lies: `projects/<working folder>/<session id>.jsonl`, subagents below.

Subagents' transcripts: `<session id>/subagents/…/agent-<id>.jsonl` at any depth, by the folder's name a part of the
session; earlier versions wrote `agent-<id>.jsonl` beside the sessions, where only its lines name the session.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from acd.agents.layout.file import HistoryFile
from acd.files.there import is_file, is_folder

_SUBAGENT = "agent-"
_ENDING = ".jsonl"
_SESSION = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DEEPEST = 12

# What other agents lay out so: Qwen Code's `projects/<folder>/chats/`, Gemini CLI's `tmp/<project>/chats/`, Codex's rollouts.
_OF_OTHERS = re.compile(r"/(?:projects|tmp)/[^/]+/chats/|/(?:rollout|session)-[^/]+$")


def transcripts_below(root: Path) -> Iterator[HistoryFile]:
    """Transcripts at or below a folder: an agent's own, its `projects`, one project, or what was copied from one.

    A file is one where its name is a session's or a subagent's, or where it stands in a folder of `projects`. Nothing is
    opened. A file named by itself is taken by its ending alone, unless it lies or is named as another agent's would.
    """
    if is_file(root):
        if root.suffix == _ENDING and not _OF_OTHERS.search(str(root)):
            yield _file_of(root.parent, str(root), root.name)
        return
    projects = root / "projects"
    if is_folder(projects):
        for project in _folders(projects):
            yield from _below(Path(project), named=False)
    else:
        yield from _below(root, named=root.parent.name != "projects")


def _below(project: Path, *, named: bool) -> Iterator[HistoryFile]:
    """Transcripts of one project; `named`: nothing but their names tells what they are."""
    top = len(str(project)) + 1
    for path in _walk(str(project), _DEEPEST):
        ours = _is_ours(path) if named else True
        if ours and not _OF_OTHERS.search(path):
            yield _file_of(project, path, path[top:])


def _is_ours(path: str) -> bool:
    name = path.rpartition("/")[2].removesuffix(_ENDING)
    return name.startswith(_SUBAGENT) or _SESSION.fullmatch(name) is not None


def _file_of(project: Path, path: str, inside: str) -> HistoryFile:
    name = path.rpartition("/")[2]
    stem = name.removesuffix(_ENDING)
    subagent = stem.startswith(_SUBAGENT)
    if not subagent:
        return HistoryFile(Path(path), name, stem)
    session = _session_above(project, inside)
    return HistoryFile(Path(path), name, session, subagent=True)


def _session_above(project: Path, inside: str) -> str | None:
    """The session whose folder a subagent's transcript lies in."""
    parents = [*inside.split("/")[:-1]] or [*project.parts]
    return next((part for part in reversed(parents) if _SESSION.fullmatch(part)), None)


def _walk(folder: str, depth: int) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return  # gone meanwhile, or not ours to read
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if depth:
                yield from _walk(entry.path, depth - 1)
        elif entry.name.endswith(_ENDING) and entry.is_file(follow_symlinks=False):
            yield entry.path


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return sorted(entry.path for entry in found if entry.is_dir())
    except OSError:
        return []
