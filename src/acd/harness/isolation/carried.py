"""A feature list that git does not know: carried into a session's worktree, and back when its work is accepted."""

from __future__ import annotations

import os
from pathlib import Path

from acd.core.errors import FeatureListError
from acd.files.locks import wait_for
from acd.files.replacing import replace_file, stamp_of
from acd.git import merge_files
from acd.harness.feature_entries import features_of
from acd.harness.features import SIZE_LIMIT
from acd.harness.safe_read import FileRefused, read_regular_file
from acd.harness.workspace import Workspace

_FOLDER = ".acd-"
_AS_CARRIED = "feature-list-as-carried"
_TRIES = 5


def is_carried(workspace: Workspace) -> bool:
    """Whether the list of a worktree is one that was carried there."""
    return workspace.feature_list.parent.name.startswith(_FOLDER)


def carry_in(own: Workspace, inside: Path, beside: Path) -> Path:
    """Copy a list (where there is one yet) into a worktree; where it is, or is going to be.

    Args:
        own: the target's own folder and list.
        inside: the workspace in the worktree. The list gets a new folder there, which ignores itself, so that
            `git add -A` leaves it out.
        beside: the folder around the worktree, named like the session; keeps the list as it was.

    Raises:
        FeatureListError: it is no file that may be read.
        OSError: it cannot be read or written.
    """
    folder = inside / f"{_FOLDER}{beside.name[:8]}"
    folder.mkdir()
    (folder / ".gitignore").write_text("*\n")
    copy = folder / own.feature_list.name
    try:
        data = read_regular_file(own.feature_list, own.roots, SIZE_LIMIT)
    except FileNotFoundError:
        return copy
    except FileRefused as error:
        raise FeatureListError(f"feature list {own.feature_list}: {error}") from error
    (beside / _AS_CARRIED).write_bytes(data)
    copy.write_bytes(data)
    return copy


async def carry_out(workspace: Workspace, own: Workspace) -> str | None:
    """Bring a list back under a lock on its folder; the reason where that cannot be done.

    What others changed in it meanwhile is kept, where both changes go together.

    Raises:
        GitError: git cannot join two lists.
        OSError: it cannot be written.
    """
    try:
        ours = read_regular_file(workspace.feature_list, workspace.roots, SIZE_LIMIT)
        features_of(ours)
    except FileNotFoundError:
        return None
    except (FileRefused, FeatureListError) as error:
        return f"the feature list: {error}"
    real = Path(os.path.realpath(own.feature_list))
    if not any(real.is_relative_to(os.path.realpath(root)) for root in own.roots):
        return f"the feature list {own.feature_list} leads to {real}"
    before = workspace.roots[0].parent / _AS_CARRIED
    async with wait_for(real.parent):
        return await _bring(ours, workspace.feature_list, before, real)


async def _bring(ours: bytes, copy: Path, before: Path, real: Path) -> str | None:
    was = before.read_bytes() if before.exists() else None
    for _ in range(_TRIES):
        stamp = stamp_of(real) if real.exists() else None
        now = real.read_bytes() if stamp else None
        if ours in (was, now):
            return None
        joined: bytes | None = ours
        if now not in (was, None):
            joined = await _joined(real, before if before.exists() else Path(os.devnull), copy)
        if joined is None:
            return f"the feature list {real} was changed by others meanwhile, in the same places"
        if replace_file(real, joined, stamp):
            return None
    return f"the feature list {real}: somebody else is changing it all the time"


async def _joined(theirs: Path, before: Path, ours: Path) -> bytes | None:
    """Both changes of a list in one; None where they are in each other's way, or what comes out is no list."""
    joined = await merge_files(theirs, before, ours)
    try:
        features_of(joined or b"")
    except FeatureListError:
        return None
    return joined
