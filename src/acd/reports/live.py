"""What happens now. Each function gives JSON and raises DatabaseAway when there is no database."""

from __future__ import annotations

from acd.database.connection import Database
from acd.reports._read import read


async def running(db: Database) -> bytes:
    """Array of `RunningSession`, oldest first."""
    return await read(db, "live.running")


async def health(db: Database) -> bytes:
    """Object with `serverVersion` and `leftOutLines`: lines of agents that could not be read."""
    return await read(db, "live.health")


async def limits(db: Database) -> bytes:
    """Array of `Limit`, what holds work back first."""
    return await read(db, "live.limits")
