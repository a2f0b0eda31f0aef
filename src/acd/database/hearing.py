"""An ear at a channel that does not go deaf: after a lost connection it listens again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

from acd.core.errors import DatabaseAway, DatabaseError
from acd.database.connection import Database

logger = logging.getLogger("acd.database")

_AGAIN_S = 1.0
_REFUSED_S = 60.0


@asynccontextmanager
async def hearing(db: Database, channel: str) -> AsyncIterator[asyncio.Event]:
    """An event that is set by each notification, and each time that listening begins: what came before was not heard.

    Who waits for it must also look by itself now and then: a database that is away is not heard.
    """
    heard = asyncio.Event()
    ear = asyncio.create_task(_listen(db, channel, heard), name=f"ear at {channel}")
    try:
        yield heard
    finally:
        ear.cancel()
        with suppress(asyncio.CancelledError):
            await ear


async def _listen(db: Database, channel: str, heard: asyncio.Event) -> None:
    while True:
        try:
            async with aclosing(db.listen(channel, announce=True)) as notes:
                async for _ in notes:
                    heard.set()
        except DatabaseAway:
            await asyncio.sleep(_AGAIN_S)
        except DatabaseError as error:
            logger.warning("cannot listen to %s, and only looks now and then: %s", channel, error)
            await asyncio.sleep(_REFUSED_S)
