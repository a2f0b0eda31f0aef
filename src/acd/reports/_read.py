"""The one step that every report shares."""

from __future__ import annotations

from collections.abc import Hashable

from acd.core.errors import DatabaseError
from acd.database.connection import Database

FIRST = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")
"""The place before all rows of a list whose places are a time and an id, newest first."""


async def read(db: Database, query: str, **parameters: Hashable) -> bytes:
    """JSON of a query that always gives a row.

    Raises:
        DatabaseError: it gave none, which is a mistake in the query; DatabaseAway when PostgreSQL cannot be reached.
    """
    found = await db.shared_json(query, **parameters)
    if found is None:
        raise DatabaseError(f"the query {query} gave no row")
    return found
