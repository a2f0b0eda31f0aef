"""Where an agent works, and the locks that keep two from the same place.

A session holds its target as long as it lasts. It holds the repository as well while it works in the target's own folder;
one that has a git worktree of its own does so only while that is made, merged and removed. The lock on a repository is on
its common folder, which all its worktrees share; that on a target is on a file in there. The descriptors are handed to
the agent, so that an agent whose harness died still holds them: two agents never work on one target, and the kernel sees
to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from acd.core.errors import Busy
from acd.core.facts import Started
from acd.core.models import Feature, Target
from acd.files import locks
from acd.git import AUTHOR, Repository
from acd.harness.features import (
    SeenList,
    feature_list_path,
    feature_list_roots,
    read_list,
)

_POLL = 0.1


@dataclass(frozen=True)
class Workspace:
    """Where an agent works, and the feature list that it works with, which lies in one of `roots`.

    `worktree` is the root of the session's own git worktree; None: the agent works in the target's own folder.
    """

    path: Path
    feature_list: Path
    roots: tuple[Path, ...]
    worktree: Path | None = None

    @classmethod
    def in_place(cls, target: Target, queue_dir: Path | None) -> Workspace:
        """The target's own folder."""
        roots = feature_list_roots(target, queue_dir)
        return cls(Path(target.path), feature_list_path(target), tuple(roots))

    @classmethod
    def of(cls, started: Started) -> Workspace:
        """That of a session, as its journal tells it."""
        queue_dir = Path(started.queue_dir) if started.queue_dir else None
        own = cls.in_place(started.target, queue_dir)
        if started.worktree is None or started.workspace is None or started.feature_list is None:
            return own
        worktree = Path(started.worktree)
        return cls(Path(started.workspace), Path(started.feature_list), (worktree,), worktree)

    async def read_features(self) -> list[Feature]:
        """Read the feature list without holding up the event loop.

        Raises:
            FeatureListError: see `read_feature_list`.
        """
        return (await self.read_list()).features

    async def read_list(self) -> SeenList:
        """Likewise, with the file's text.

        Raises:
            FeatureListError: see `read_list`.
        """
        return await asyncio.to_thread(read_list, self.feature_list, self.roots)


async def identity_variables(workspace: Path) -> Mapping[str, str]:
    """Variables that give commits an author where nobody told git who commits here; else none.

    Raises:
        GitError: git cannot be asked.
    """
    return {} if await Repository(workspace).has_identity() else AUTHOR


def repository_lock(
    git_common_dir: Path | None, stop: asyncio.Event | None = None
) -> AbstractAsyncContextManager[int | None]:
    """Wait for the repository and hold it; yields the descriptor, None where there is no repository to hold.

    Raises:
        Busy: `stop` was set before the repository was free.
    """
    there = git_common_dir is not None and git_common_dir.is_dir()
    return _lock(git_common_dir if there else None, stop)


def target_lock(
    git_common_dir: Path | None, target: Target, stop: asyncio.Event | None = None
) -> AbstractAsyncContextManager[int | None]:
    """Wait for the target and hold it; as `repository_lock`. Whoever holds both takes this one first.

    Raises:
        Busy: `stop` was set before the target was free.
        OSError: nothing may be written in the repository's common folder.
    """
    if git_common_dir is None or not git_common_dir.is_dir():
        return _lock(None, stop)
    return _lock(target_lock_file(git_common_dir, target), stop)


def target_lock_file(git_common_dir: Path, target: Target) -> Path:
    """The file that stands for a target: in the repository, so that harnesses with different ACD_HOMEs meet there."""
    return git_common_dir / "acd" / f"{target.id}.lock"


@asynccontextmanager
async def _lock(path: Path | None, stop: asyncio.Event | None) -> AsyncIterator[int | None]:
    if path is None:
        yield None
        return
    with ExitStack() as held:
        while True:
            try:
                descriptor = held.enter_context(locks.hold(path))
                break
            except Busy:
                if stop is not None and stop.is_set():
                    raise
            await asyncio.sleep(_POLL)
        yield descriptor
