"""Waiting for what must become true, with a generous deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from acd.core.errors import DatabaseAway
from acd.database.connection import Database
from tests.integration.ledger.stage import select

DEADLINE = 90.0


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> float:
    """Wait for a condition; how many seconds that took."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while not await condition():
        assert loop.time() - begun < DEADLINE, f"never: {what}"
        await asyncio.sleep(0.02)
    return loop.time() - begun


async def recorded(database: Database) -> int:
    """Up to which byte the streams have been recorded, added up; 0 while the database is away."""
    statement = "SELECT sum(read_offset) AS bytes FROM ledger_files WHERE name = 'stream.jsonl'"
    try:
        [row] = await select(database, statement)
    except DatabaseAway:
        return 0
    return int(row["bytes"] or 0)


async def until_recorded(database: Database, more_than: int) -> float:
    """Wait until more than so many bytes are recorded; how many seconds that took."""

    async def enough() -> bool:
        return await recorded(database) > more_than

    return await until(enough, f"more than {more_than} bytes")
