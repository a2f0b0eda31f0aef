"""A working folder → the target that it belongs to. Only files are read: no git is started in a folder that nobody vouches for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from acd.core.models import target_id_of
from acd.core.text import storable
from acd.files.there import is_there

# Claude Code's own worktrees lie inside the repository; once they are gone, their path still says so.
_WORKTREE = "/.claude/worktrees/"
_LONGEST_POINTER = 4096
_LONGEST_NAME = 60


class NewTarget(NamedTuple):
    """A repository that no queue file names."""

    id: UUID
    repo_id: str
    name: str
    path: str
    agent: str


class Places:
    """Finds the target of a folder; remembers what it found."""

    def __init__(self, targets: Iterable[tuple[UUID, str]]) -> None:
        """`targets`: ids and paths of those that there are; of two with one path the first counts."""
        self._by_path: dict[str, UUID | NewTarget] = {}
        for target_id, path in targets:
            self._by_path.setdefault(_resolved(path), target_id)
        self._found: dict[str, UUID | NewTarget] = {}

    def target_of(self, folder: str, agent: str) -> UUID | NewTarget:
        """The target of what was done in `folder`, which need not exist any more.

        It is the one of the queue that lies deepest at or above the folder within its repository (a worktree's is its main
        repository); else that repository; else the folder itself.
        """
        known = self._found.get(folder)
        if known is None:
            known = self._found[folder] = self._find(folder, agent)
        return known

    def _find(self, folder: str, agent: str) -> UUID | NewTarget:
        path = _resolved(folder)
        repository = repository_of(path)
        top = repository or path
        if path == top or path.startswith(f"{top}/"):
            within = [path, *(str(parent) for parent in Path(path).parents)]
            within = [one for one in within if one == top or one.startswith(f"{top}/")]
        else:
            within = [top]  # a worktree that lies elsewhere
        for one in within:
            if one in self._by_path:
                return self._by_path[one]
        made = self._by_path[top] = new_target(top, agent)
        return made


def new_target(path: str, agent: str) -> NewTarget:
    """The target of a repository that no queue file names; the same for the same path on every machine."""
    name = storable(Path(path).name or path)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_NAME] or "folder"
    repo_id = f"{slug}-{hashlib.sha256(path.encode(errors='surrogateescape')).hexdigest()[:8]}"
    return NewTarget(target_id_of(repo_id), repo_id, name, storable(path), agent)


def repository_of(folder: str) -> str | None:
    """The working folder of the main repository that a folder lies in, or lay in before it was removed; None outside of any."""
    if _WORKTREE in f"{folder}/":
        owner = folder[: f"{folder}/".index(_WORKTREE)]
        if is_there(Path(owner) / ".git") or not is_there(Path(folder)):
            return owner
    for path in (Path(folder), *Path(folder).parents):
        pointer = path / ".git"
        try:
            if pointer.is_dir():
                return str(path)
            if pointer.is_file():
                return _main_repository(pointer) or str(path)
        except OSError:
            return None  # not ours to look into
    return None


def _main_repository(pointer: Path) -> str | None:
    """The repository whose worktree has this `.git` file (git's own format: gitrepository-layout, `commondir`)."""
    text = _first_line(pointer)
    if not text.startswith("gitdir:"):
        return None
    folder = pointer.parent / text.removeprefix("gitdir:").strip()
    if not (folder / "commondir").is_file():
        return None  # a submodule: a repository of its own
    common = (folder / _first_line(folder / "commondir")).resolve()
    return str(common.parent) if common.name == ".git" else str(common)


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LONGEST_POINTER).decode(errors="replace").split("\n", 1)[0].strip()


def _resolved(path: str) -> str:
    """Without links, so that two ways to a folder are one; as it stands where it is no path of this machine."""
    try:
        return str(Path(path).resolve()) if path.startswith("/") else path
    except (OSError, RuntimeError, ValueError):
        return path
