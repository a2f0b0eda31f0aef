"""The turns of a database for one request of a person's: nobody sits an outage out, it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from procrastinate import exceptions

from acd.core.errors import DatabaseAway, DatabaseError
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.jobs import Turns, open_turns
from acd.queue.presence import Workers


@asynccontextmanager
async def turns_at_hand(db: Database, settings: Settings) -> AsyncIterator[Turns]:
    """The turns, for the length of a block.

    Raises:
        DatabaseError: what was done in the block may be done in part; doing it again is safe.
    """
    give_up = asyncio.Event()
    give_up.set()  # whoever asked is waiting
    workers = Workers(settings.locks_dir, db.url)
    try:
        yield await open_turns(db, workers, give_up)
    except exceptions.ConnectorException as error:
        cause = error.__cause__
        raise cause if isinstance(cause, DatabaseError) else DatabaseAway(str(error)) from error
    finally:
        workers.close()
