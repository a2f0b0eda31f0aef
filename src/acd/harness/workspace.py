"""Where an agent works: for now in the target's own folder, one session at a time per git repository.

The lock is on the repository's common folder, which all its worktrees share. Its descriptor is handed to the agent, so
that an agent whose harness died still holds it: two agents never work on one repository, and the kernel sees to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from acd.core.errors import Busy
from acd.core.models import Target
from acd.files import locks
from acd.git import Repository

_POLL = 0.1
_IDENTITY: Mapping[str, str] = {
    "GIT_AUTHOR_NAME": "acd",
    "GIT_AUTHOR_EMAIL": "acd@localhost",
    "GIT_COMMITTER_NAME": "acd",
    "GIT_COMMITTER_EMAIL": "acd@localhost",
}


def workspace_of(target: Target) -> Path:
    """The folder in which the agent works on the target."""
    return Path(target.path)


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
