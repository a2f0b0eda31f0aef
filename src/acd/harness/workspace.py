"""Where an agent works: for now in the target's own folder, one session at a time per git repository.

The lock is on the repository's common folder, which all its worktrees share. Its descriptor is handed to the agent, so
that an agent whose harness died still holds it: two agents never work on one repository, and the kernel sees to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from acd.core.errors import Busy
from acd.core.facts import Started
from acd.core.models import Feature, Target
from acd.files import locks
from acd.git import Repository
from acd.harness.features import feature_list_path, feature_list_roots, read_feature_list

_POLL = 0.1
_IDENTITY: Mapping[str, str] = {
    "GIT_AUTHOR_NAME": "acd",
    "GIT_AUTHOR_EMAIL": "acd@localhost",
    "GIT_COMMITTER_NAME": "acd",
    "GIT_COMMITTER_EMAIL": "acd@localhost",
}


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
        return await asyncio.to_thread(read_feature_list, self.feature_list, self.roots)


async def identity_variables(workspace: Path) -> Mapping[str, str]:
    """Variables that give commits an author where nobody told git who commits here; else none.

    Raises:
        GitError: git cannot be asked.
    """
    return {} if await Repository(workspace).has_identity() else _IDENTITY


@asynccontextmanager
async def repository_lock(
    git_common_dir: Path | None, stop: asyncio.Event | None = None
) -> AsyncIterator[int | None]:
    """Wait for the repository and hold it; yields the descriptor, None where there is no repository to hold.

    Raises:
        Busy: `stop` was set before the repository was free.
    """
    if git_common_dir is None or not git_common_dir.is_dir():
        yield None
        return
    with ExitStack() as held:
        while True:
            try:
                descriptor = held.enter_context(locks.hold(git_common_dir))
                break
            except Busy:
                if stop is not None and stop.is_set():
                    raise
            await asyncio.sleep(_POLL)
        yield descriptor
