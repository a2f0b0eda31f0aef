"""Sessions that nobody attends any more and whose agent is gone: shown as interrupted until the next run closes them.

That happens when a harness was killed, or told twice to end while it was closing a session. What such a session did is
closed, merged and counted by the next `acd run` on its machine; only how it is shown changes before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from acd.core.errors import DatabaseError
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.files.locks import is_held
from acd.harness.strays import marked_processes

logger = logging.getLogger(__name__)


async def show_lost(db: Database, settings: Settings) -> None:
    """Let them show as interrupted. Only those whose files are in this ACD_HOME can be told from others.

    Raises:
        DatabaseError: it cannot say which sessions run. (One that may only be read stays as it is.)
    """
    rows = await db.fetch_all("live.running_here", host=settings.host_name)
    lost = await asyncio.to_thread(_lost, settings, [row["id"] for row in rows]) if rows else []
    if not lost:
        return
    try:
        await db.execute("live.show_lost", ids=lost)
    except DatabaseError as error:
        logger.warning("lost sessions still show as running: %s", error)


def _lost(settings: Settings, running: Sequence[UUID]) -> list[UUID]:
    return [each for each in running if _is_lost(SessionFolder(settings.sessions_dir / str(each)))]


def _is_lost(session: SessionFolder) -> bool:
    """It has not ended (its lock file is there), nobody holds that, and none of its processes lives.

    Processes first: an agent that outlived its harness is waited for, and an adopter that is about to take the lock should
    seldom find us at it.
    """
    try:
        return (
            session.lock.exists()
            and not marked_processes(session.session_id)
            and not is_held(session.lock)
        )
    except PermissionError:  # another user's
        return False
