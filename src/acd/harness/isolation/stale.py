"""Worktrees that no session will remove any more: their harness died before the session began, or could not delete them.

One that alone has what its session did not commit is left: a person has to look.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from acd.core.errors import Busy, GitError
from acd.core.facts import Started
from acd.core.settings import Settings
from acd.files.folder import SessionFolder
from acd.files.locks import hold
from acd.git import WritableRepository
from acd.harness.isolation.worktree import remove_folder
from acd.harness.journaled import Journaled

logger = logging.getLogger(__name__)

_OURS = "acd/"


async def remove_stale_worktrees(settings: Settings) -> None:
    """Remove them; what cannot be removed is logged. One whose session is unfinished is left to whoever closes that."""
    for place, session in _places(settings):
        try:
            journaled = Journaled.of(list(session.journal.facts()))
            if journaled.ended is not None:
                if not journaled.has_work_left:
                    await _remove(place)
            else:
                with hold(session.lock):  # else somebody is just making it
                    if not _has_begun(session):
                        await _remove(place)
        except Busy:
            continue
        except (GitError, OSError) as error:
            logger.warning("worktree %s cannot be removed: %s", place, error)


def _places(settings: Settings) -> Iterator[tuple[Path, SessionFolder]]:
    """Folders of worktrees with the folders of their sessions, where there are any."""
    if not settings.worktrees_dir.is_dir():
        return
    for place in settings.worktrees_dir.iterdir():
        with suppress(ValueError):
            session = SessionFolder(settings.sessions_dir / str(UUID(place.name)))
            if session.path.is_dir():
                yield place, session


def _has_begun(session: SessionFolder) -> bool:
    return any(isinstance(fact, Started) for fact in session.journal.facts())


async def _remove(place: Path) -> None:
    """Delete a worktree with its branch, unless only that branch has what is in it."""
    for folder in place.iterdir():
        if (folder / ".git").is_file():
            worktree = WritableRepository(folder, ceiling=place)
            branch = await worktree.branch()
            repository = WritableRepository(await worktree.common_dir())
            remove_folder(folder)
            await repository.forget_worktree(folder)
            tip = await repository.commit_of(f"refs/heads/{branch}") if branch else None
            if branch and tip and branch.startswith(_OURS) and await _is_elsewhere(repository, tip):
                await repository.delete_branch(branch, tip)
    remove_folder(place)


async def _is_elsewhere(repository: WritableRepository, commit: str) -> bool:
    head = await repository.head()
    return head is not None and await repository.is_ancestor(commit, head)
