"""A small pool that connects when a connection is asked for.

Why not psycopg_pool: it connects in the background, so a caller learns of an outage only by waiting for its time
limit to pass, without the reason, and its pauses between attempts double, so the first good call after an outage of
minutes comes minutes late. Here a refused connection is the caller's error at once, and the first call after the
server is back succeeds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from acd.core.errors import DatabaseAway
from acd.database.wire import CONNECT_TIMEOUT, Connection

_IDLE_LIMIT = 60.0


class Pool:
    """Up to `size` connections made by `connect(seconds)`; the last one given back is the first one given out."""

    def __init__(
        self, connect: Callable[[float], Awaitable[Connection]], *, size: int = 10
    ) -> None:
        self._connect = connect
        self._slots = asyncio.Semaphore(size)
        self._size = size
        self._idle: deque[Connection] = deque()
        self._closed = False

    @asynccontextmanager
    async def lease(self, deadline: float) -> AsyncIterator[Connection]:
        """Lend a connection; `deadline` (loop time) is when to give up getting one.

        Raises:
            DatabaseAway: none was free in time, or none could be made.
        """
        await self._take_slot(deadline)
        try:
            connection = await self._fresh_or_idle(deadline)
            try:
                yield connection
            finally:
                await self._give_back(connection)
        finally:
            self._slots.release()

    async def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _take_slot(self, deadline: float) -> None:
        if self._closed:
            raise DatabaseAway("the database was closed")
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError as error:
            raise DatabaseAway(f"all {self._size} connections stayed busy") from error

    async def _fresh_or_idle(self, deadline: float) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            await connection.close()
        left = deadline - asyncio.get_running_loop().time()
        return await self._connect(min(left, CONNECT_TIMEOUT))

    async def _give_back(self, connection: Connection) -> None:
        now = asyncio.get_running_loop().time()
        if self._closed or connection.cut_off or not connection.usable:
            await connection.close()
        else:
            connection.idle_since = now
            self._idle.append(connection)
        while len(self._idle) > 1 and self._idle[0].idle_since < now - _IDLE_LIMIT:
            await self._idle.popleft().close()
