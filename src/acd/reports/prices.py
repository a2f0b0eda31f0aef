"""Prices that a person set."""

from __future__ import annotations

from acd.database.connection import Database
from acd.reports._read import read


async def overrides(db: Database) -> bytes:
    """Array of `PriceOverride`, by model and day.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await read(db, "prices.overrides")
