"""The feature list's file in a workspace: putting it right, and committing that."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from acd.core.errors import ConfigError, FeatureListError
from acd.files.locks import wait_for
from acd.files.replacing import Stamp, replace_file, stamp_of
from acd.git import WritableRepository
from acd.harness.features import SIZE_LIMIT
from acd.harness.safe_read import FileRefused, read_regular_file
from acd.harness.workspace import Workspace

_ATTEMPTS = 5

Correct = Callable[[bytes], bytes]
"""Gives a list's text as it has to be; empty text stands for a list that is not there or cannot be read."""


async def put_right(workspace: Workspace, correct: Correct, locks_dir: Path) -> bytes:
    """Rewrite the list in one step where it is not as it has to be; its text.

    Raises:
        FeatureListError: it cannot be put right.
        ConfigError: it cannot be written.
    """
    name = hashlib.sha256(str(workspace.feature_list).encode()).hexdigest()[:16]
    async with wait_for(locks_dir / f"list-{name}.lock"):
        return await asyncio.to_thread(_put_right, workspace, correct)


def _put_right(workspace: Workspace, correct: Correct) -> bytes:
    path = workspace.feature_list
    try:
        for _ in range(_ATTEMPTS):
            current, stamp = _read(workspace)
            right = correct(current)
            if right == current and stamp is not None:
                return right
            place = Path(os.path.realpath(path)) if stamp is not None else path
            _check_folder(place.parent, workspace)
            place.parent.mkdir(parents=True, exist_ok=True)
            if replace_file(place, right, stamp):
                return right
    except OSError as error:
        raise ConfigError(f"feature list {path} cannot be corrected: {error}") from error
    raise FeatureListError(f"feature list {path}: somebody else is changing it all the time")


def _read(workspace: Workspace) -> tuple[bytes, Stamp | None]:
    """The file and its stamp; nothing where it is none that we read (a link that leads away, a FIFO, too large)."""
    try:
        stamp = stamp_of(workspace.feature_list)
        return read_regular_file(workspace.feature_list, workspace.roots, SIZE_LIMIT), stamp
    except (FileRefused, FileNotFoundError, NotADirectoryError):
        return b"", None


def _check_folder(folder: Path, workspace: Workspace) -> None:
    """A folder that was made a link must not lead us out of the places that the list may be in."""
    real = Path(os.path.realpath(folder))
    if not any(real.is_relative_to(os.path.realpath(root)) for root in workspace.roots):
        raise ConfigError(f"feature list {workspace.feature_list}: its folder leads to {real}")


async def commit_list(workspace: Workspace, message: str, head_before: str | None) -> None:
    """Commit the list alone, as author `acd`, where it differs from the last commit and is one that git keeps.

    Git keeps it when it did so at `head_before` or does now; in a worktree of ours also when it is new there and not
    ignored. In the user's own folder nothing is committed while a change of the list is staged: it may be the user's.

    Raises:
        GitError: git refuses.
    """
    folder = workspace.worktree or workspace.path
    repository = WritableRepository(folder, ceiling=folder.parent if workspace.worktree else None)
    name = await _name_in_tree(repository, workspace.feature_list)
    if name is None or not await _is_kept(repository, workspace, name, head_before):
        return
    if await repository.uncommitted(name):
        await repository.commit_path(name, message)


async def _name_in_tree(repository: WritableRepository, path: Path) -> str | None:
    top, real = os.path.realpath(await repository.top_level()), Path(os.path.realpath(path))
    return real.relative_to(top).as_posix() if real.is_relative_to(top) else None


async def _is_kept(
    repository: WritableRepository, workspace: Workspace, name: str, head_before: str | None
) -> bool:
    if workspace.worktree is not None:
        return not await repository.is_ignored(name)
    path = Path(os.path.realpath(workspace.feature_list))
    if await repository.is_staged(path):
        return False
    known = head_before is not None and await repository.has_file(head_before, name)
    return known or await repository.is_tracked(path)
