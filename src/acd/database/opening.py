"""Where the database is: `DATABASE_URL`, else the embedded server; and that it can be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from acd.core.errors import DatabaseRefused
from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.schema import bring_up_to_date, known_revisions
from acd.database.wire import Expected, timezone_differs

Revive = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """A database that was found usable; `revive` starts it again where that is up to us."""

    url: str
    expected: Expected
    revive: Revive | None


@asynccontextmanager
async def located(settings: Settings, *, application: str, migrate: bool) -> AsyncIterator[Place]:
    """Find the database, start and migrate it where needed; see `open_database` for the errors."""
    async with reachable(settings) as (url, revive):
        state = await bring_up_to_date(
            url, application=application, timezone=settings.timezone, migrate=migrate
        )
        wanted = settings.timezone if "timezone" in settings.given else None
        if wanted and state.timezone != wanted:
            raise DatabaseRefused(timezone_differs(in_database=state.timezone, in_settings=wanted))
        yield Place(url, Expected(revision=known_revisions()[-1], timezone=wanted), revive)


@asynccontextmanager
async def reachable(settings: Settings) -> AsyncIterator[tuple[str, Revive | None]]:
    """URL of the database, whatever its schema is; the embedded server is up as long as the block lasts."""
    if settings.database_url:
        yield settings.database_url, None
        return
    server = EmbeddedServer(settings)
    async with attached(server):
        revive = _OneAtATime(server.ensure_up)
        try:
            yield server.url, revive
        finally:
            await revive.finish()


@asynccontextmanager
async def attached(server: EmbeddedServer) -> AsyncIterator[None]:
    """Be one of the embedded server's clients; the last one out stops it."""
    attaching = asyncio.create_task(asyncio.to_thread(server.attach))
    try:
        await asyncio.shield(attaching)
        yield
    finally:
        # A thread cannot be cancelled: leave only when it has done its work, else its lock would stay.
        await asyncio.wait([attaching])
        await asyncio.to_thread(server.leave)


class _OneAtATime:
    """Several callers want the same thing done in a thread: the first starts it, all wait, none can cancel it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._current: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        if self._current is None or self._current.done():
            self._current = asyncio.create_task(asyncio.to_thread(self._work))
        await asyncio.shield(self._current)

    async def finish(self) -> None:
        """Wait for what is still being done; its errors were for callers that have gone."""
        if self._current is not None:
            await asyncio.gather(self._current, return_exceptions=True)
