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

_START_TIMEOUT = 30.0


@dataclass(frozen=True)
class Place:
    """A database that was found usable; `revive` starts it again where that is up to us."""

    url: str
    expected: Expected
    revive: Callable[[], Awaitable[None]] | None


@asynccontextmanager
async def located(settings: Settings, *, application: str, migrate: bool) -> AsyncIterator[Place]:
    """Find the database, start and migrate it where needed; see `open_database` for the errors."""
    if settings.database_url:
        expected = await _checked(settings.database_url, settings, application, migrate)
        yield Place(settings.database_url, expected, None)
        return
    server = EmbeddedServer(settings)
    async with attached(server):
        expected = await _checked(server.url, settings, application, migrate)
        yield Place(server.url, expected, _OneAtATime(server.ensure_up))


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


async def _checked(url: str, settings: Settings, application: str, migrate: bool) -> Expected:
    state = await bring_up_to_date(
        url, application=application, timezone=settings.timezone, migrate=migrate
    )
    explicit = settings.timezone if "timezone" in settings.model_fields_set else None
    if explicit and state.timezone != explicit:
        raise DatabaseRefused(timezone_differs(in_database=state.timezone, in_settings=explicit))
    return Expected(revision=known_revisions()[-1], timezone=explicit)
