"""Control through the database of this machine's settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from acd.cli.hand import Order
from acd.cli.opened import make_home
from acd.core.contract import TargetRow
from acd.core.control_rows import FeatureSkipped, TargetTried
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.queue.again import retry_target, unblock_target
from acd.queue.control import STATES, give_order, stop_session
from acd.queue.skipping import skip_feature
from acd.reports import glance, targets
from acd.reports.rows import rows_of


@asynccontextmanager
async def opened(settings: Settings, command: str) -> AsyncIterator[HandHere]:
    """The hand, with the database open for the length of a block."""
    make_home(settings)
    async with open_database(settings, application=f"acd {command}") as database:
        yield HandHere(database, settings)


class HandHere:
    """See `Hand`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._db = database
        self._settings = settings

    async def order(self, order: Order) -> bytes:
        """See `Hand`."""
        return await give_order(self._db, STATES[order])

    async def session_meant(self, name: str) -> UUID | None:
        """See `Hand`."""
        return await glance.session_meant(self._db, name)

    async def stop_session(self, session_id: UUID) -> bytes:
        """See `Hand`."""
        return await stop_session(self._db, session_id)

    async def blocked(self) -> list[str]:
        """See `Hand`."""
        found = await targets.recent(self._db, status="blocked", enabled=True)
        return [row.repo_id for row in rows_of(found, TargetRow)]

    async def retry(self, repo_id: str) -> TargetTried:
        """See `Hand`."""
        return await retry_target(self._db, self._settings, repo_id)

    async def unblock(self, repo_id: str) -> TargetTried:
        """See `Hand`."""
        return await unblock_target(self._db, self._settings, repo_id)

    async def skip(self, repo_id: str, key: str, *, skip: bool) -> FeatureSkipped:
        """See `Hand`."""
        return await skip_feature(self._db, self._settings, repo_id, key, skip=skip)
