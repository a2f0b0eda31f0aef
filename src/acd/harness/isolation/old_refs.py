"""What sessions of long ago left uncommitted: deleted after the settings' days, so that it does not pile up for ever."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from uuid import UUID

from acd.core.errors import GitError
from acd.core.settings import Settings
from acd.files.folder import SessionFolder, is_uuid
from acd.git import WritableRepository

logger = logging.getLogger(__name__)

_OURS = "refs/acd"
_DAY_S = 86_400


async def clear_old_refs(repository: WritableRepository, settings: Settings) -> None:
    """Delete refs under `refs/acd` that are too old. The caller holds the repository.

    Branches, among them those that keep what could not be merged, are a person's to delete. What git refuses is logged:
    the next session tries again.
    """
    if not settings.keep_refs_days:
        return
    oldest = time.time() - settings.keep_refs_days * _DAY_S
    try:
        for ref in await repository.refs_under(_OURS):
            if ref.committed_at < oldest and not _is_unfinished(ref.name, settings.sessions_dir):
                await repository.delete_ref(ref.name, ref.commit)
                logger.info("%s of %s is deleted: it is too old", ref.name, repository.path)
    except GitError as error:
        logger.warning("old refs of %s: %s", repository.path, error)


def _is_unfinished(ref: str, sessions_dir: Path) -> bool:
    """Whether its session still has to be closed by somebody."""
    name = ref.rpartition("/")[2]
    return is_uuid(name) and SessionFolder(sessions_dir / str(UUID(name))).lock.exists()
