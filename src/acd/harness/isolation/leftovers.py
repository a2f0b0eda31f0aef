"""What an agent has not committed when it is gone: kept as a commit under a ref of our own, and never merged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from acd.git import WritableRepository
from acd.harness.isolation.secrets import why_left_out

_MOST_LEFT_OUT = 500
"""Each is named on git's command line."""

_TOLD = 20


async def keep(
    worktree: WritableRepository, ref: str, tip: str, message: str
) -> tuple[str | None, int, dict[str, str]]:
    """Commit everything in a worktree that may be kept, on top of `tip`, under `ref`.

    Returns:
        The commit (None where nothing is to be kept), how many files it keeps, and why which are left out.

    Raises:
        GitError: git refuses.
    """
    names = await worktree.uncommitted()
    if not names:
        return None, 0, {}
    left_out = await asyncio.to_thread(_left_out, worktree.path, names)
    if len(left_out) > _MOST_LEFT_OUT:
        why = f"{len(left_out)} files of it look like secrets or are too large"
        return None, 0, {"everything": why}
    files = len(names) - len(left_out)
    if not files:
        return None, 0, _told(left_out)
    tree = await worktree.tree_of_everything(list(left_out))
    commit = await worktree.commit_tree(tree, [tip], message)
    await worktree.set_ref(ref, commit)
    return commit, files, _told(left_out)


def _left_out(root: Path, names: Sequence[str]) -> dict[str, str]:
    reasons = {name: why_left_out(root, name) for name in names}
    return {name: why for name, why in reasons.items() if why is not None}


def _told(left_out: dict[str, str]) -> dict[str, str]:
    told = {name.encode(errors="replace").decode(): why for name, why in left_out.items()}
    first = dict(list(told.items())[:_TOLD])
    if more := len(told) - len(first):
        first["…"] = f"and {more} more"
    return first
