"""Making a session's worktree, and removing it with everything in it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from acd.core.errors import AcdError, ConfigError
from acd.core.models import Target
from acd.core.settings import Settings
from acd.git import Repository, WritableRepository
from acd.harness.isolation.carried import carry_in
from acd.harness.isolation.names import branch_names
from acd.harness.plan import SessionPlan
from acd.harness.workspace import Workspace


class Made(NamedTuple):
    """A workspace in a new worktree, on a new branch."""

    workspace: Workspace
    branch: str


async def make_worktree(plan: SessionPlan, settings: Settings, head: str) -> Made:
    """Check out `head` for a session, with the feature list. The caller holds the repository.

    Raises:
        ConfigError: the list has changes that are not committed.
        GitError: there is no working tree (a bare repository), or git cannot make another one.
        OSError: nor can the machine.
    """
    target = plan.target
    repository = WritableRepository(Path(target.path))
    top = await repository.top_level()
    folder = settings.worktrees_dir / str(plan.session_id) / (top.name or "repository")
    folder.parent.mkdir(mode=0o700, parents=True)
    branch = await _free_branch(repository, plan)
    await repository.begin_branch(folder, branch, head)
    try:
        workspace = await _furnish(plan, head, top, folder, await repository.prefix())
    except (AcdError, OSError):
        await forget_worktree(target, folder)
        await repository.delete_branch(branch, head)
        raise
    return Made(workspace, branch)


async def _furnish(plan: SessionPlan, head: str, top: Path, folder: Path, prefix: str) -> Workspace:
    inside = folder / prefix
    if not Path(os.path.realpath(inside)).is_relative_to(os.path.realpath(folder)):
        raise ConfigError(f"{plan.target.path} leads out of its repository at {head[:10]}")
    inside.mkdir(parents=True, exist_ok=True)
    feature_list = await _feature_list(plan, head, top, inside, folder)
    return Workspace(inside, feature_list, (folder,), folder)


async def _free_branch(repository: WritableRepository, plan: SessionPlan) -> str:
    names = list(branch_names(plan.target.repo_id, plan.session_number, plan.session_id))
    for name in names:
        if await repository.commit_of(f"refs/heads/{name}") is None:
            return name
    return names[-1]


async def _feature_list(
    plan: SessionPlan, head: str, top: Path, inside: Path, folder: Path
) -> Path:
    """The list in the worktree: the committed one, or a copy of one that git does not know."""
    repository = WritableRepository(top)
    own = Workspace.in_place(plan.target, plan.queue_dir)
    name = path_in_tree(own.feature_list, top)
    if name is not None and await repository.has_file(head, name):
        if await repository.uncommitted(name):
            raise ConfigError(
                f"the feature list {own.feature_list} has changes that are not committed, and each session works on what is "
                "committed: commit them (or let agents work in the folder itself: --in-place)"
            )
        return folder / name
    if name is None or own.feature_list.exists():
        return carry_in(own, inside, folder.parent)
    return folder / name


def path_in_tree(path: Path, top: Path) -> str | None:
    """A file's path from the root of a tree, as git names it; None where it is outside."""
    real = Path(os.path.realpath(path.parent)) / path.name
    root = Path(os.path.realpath(top))
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else None


def remove_folder(folder: Path) -> None:
    """Delete a folder with all that is in it, also what its owner made read-only. Nothing where there is none.

    Raises:
        OSError: it cannot be deleted.
    """
    if not folder.is_symlink() and folder.is_dir():
        shutil.rmtree(folder, onerror=_make_writable)


def _make_writable(delete: Callable[..., object], path: str, _error: object) -> None:
    parent = os.path.dirname(path)  # noqa: PTH120 - shutil gives texts
    for place in (parent, path):
        if not os.path.islink(place) and os.path.isdir(place):  # noqa: PTH112, PTH114
            os.chmod(place, stat.S_IRWXU)  # noqa: PTH101
    if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
        shutil.rmtree(path)
    elif os.path.lexists(path):
        delete(path)


async def forget_worktree(target: Target, folder: Path) -> None:
    """Delete a session's worktree, and git's memory of it.

    Raises:
        GitError: the repository is not there any more; the folder is deleted all the same.
        OSError: the folder cannot be deleted.
    """
    remove_folder(folder.parent)
    await Repository(Path(target.path)).forget_worktree(folder)
