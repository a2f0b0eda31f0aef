"""The real server in the test's own event loop, on a free port of loopback, and the known rows of `reports/seed.sql`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from acd.core.settings import Settings, load_settings
from acd.database.connection import Database
from acd.ledger.pending import backlog
from acd.server import serve

SEED = Path(__file__).parent / "reports" / "seed.sql"


def put_seed(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(SEED.read_bytes())


@asynccontextmanager
async def serving(database: Database, settings: Settings) -> AsyncIterator[str]:
    """The server's address while it serves; stopped the way its owner stops it, by cancelling it."""
    free = load_settings(home=settings.home, port=0)
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(
        serve(
            database,
            free,
            pending=lambda: backlog(database, free),
            ready=address.set_result,
        )
    )
    started: list[asyncio.Future[Any]] = [server, address]
    await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
    if server.done():
        server.result()
    try:
        yield address.result()
    finally:
        server.cancel()
        with suppress(asyncio.CancelledError):
            await server
