"""What the readers of the live stream share: one ear at the database, one look at how far it can be read.

Each reader pages from the tables at its own pace, so a slow one holds up nobody: no writer knows of readers, and nothing
is kept for them. The ear is there only while there are readers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from acd.core.errors import DatabaseError
from acd.database.connection import Database
from acd.database.hearing import hearing
from acd.reports import stream
from acd.reports.stream import Position, Told

logger = logging.getLogger("acd.web")

PAGE = 200
_POLL_S = 1.0
"""How often is looked without having heard anything: a notification can be lost, the tables cannot."""
_HIDDEN_POLL_S = 0.05
_PAUSE_S = 0.05
"""News of so long come together: many small commits make one look."""
_AGAIN_S = 1.0
_AT_A_TIME = 4
"""Pages read at a time: connections are left for everything else."""


class Live:
    """The live stream of one database. `horizon`, `identity`: see `reports.stream`; known inside `reading`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._news = asyncio.Event()
        self._slots = asyncio.Semaphore(_AT_A_TIME)
        self._following: asyncio.Task[None] | None = None
        self._closed = False
        self._lost = False
        self.readers = 0
        self.horizon = 0
        self.identity = ""

    @property
    def closed(self) -> bool:
        """Whether the server stops: readers are to end."""
        return self._closed

    def close(self) -> None:
        """Tell the readers that the server stops."""
        self._closed = True
        self._tell()

    async def now(self) -> tuple[str, Position]:
        """The database's identity and the stream's end; errors as `reading`."""
        identity = await stream.identity(self._db)
        return identity, Position((await stream.horizon(self._db, self.horizon)).txid)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Be a reader for the length of the block.

        Raises:
            DatabaseAway: nobody can say where the stream ends now.
        """
        self.readers += 1
        try:
            if self._following is None:
                self.identity, position = await self.now()
                self.horizon = position.txid
            if self._following is None:  # another reader may have come meanwhile
                self._following = asyncio.create_task(self._follow(), name="live stream")
            yield
        finally:
            self.readers -= 1
            if not self.readers:
                await self._stop_following()

    async def _stop_following(self) -> None:
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    def next_news(self) -> asyncio.Event:
        """Set when there is more to read than now, or the server stops. Ask for it before reading, wait after."""
        return self._news

    async def refresh(self) -> None:
        """Look where the stream ends now; errors as `reading`."""
        self.horizon = max(self.horizon, (await stream.horizon(self._db, self.horizon)).txid)

    async def page(self, behind: Position, target_id: UUID | None) -> tuple[list[Told], Position]:
        """The next events, at most `PAGE`, and the position behind them; errors as `reading`."""
        below = self.horizon
        async with self._slots:
            told = await stream.page(self._db, behind, below, target_id=target_id, limit=PAGE)
        if len(told) == PAGE:
            return told, told[-1].position
        return told, max(behind, Position(below))

    def _tell(self) -> None:
        told, self._news = self._news, asyncio.Event()
        told.set()
        if self._closed:
            self._news.set()

    async def _follow(self) -> None:
        async with hearing(self._db, stream.CHANNEL) as heard:
            while True:
                try:
                    wait = await self._look()
                except DatabaseError as error:
                    logger.debug("the live stream waits for the database: %s", error)
                    wait, self._lost = _AGAIN_S, True
                    self._tell()  # so that readers learn it too
                # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes together with the news.
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await heard.wait()
                heard.clear()
                await asyncio.sleep(_PAUSE_S)

    async def _look(self) -> float:
        """See whether there is news; when to look again."""
        if self._lost:
            await self._recognise()
        found = await stream.horizon(self._db, self.horizon)
        self.horizon = max(self.horizon, found.txid)
        if found.news:
            self._tell()
        return _HIDDEN_POLL_S if found.waiting else _POLL_S

    async def _recognise(self) -> None:
        """What is there after an outage may be another database."""
        identity = await stream.identity(self._db)
        if identity != self.identity:
            self.identity, self.horizon = identity, 0
        self._lost = False
        self._tell()
