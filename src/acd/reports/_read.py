"""The one step that every report shares."""

from __future__ import annotations

from acd.core.errors import DatabaseError
from acd.database.connection import Database


async def read(db: Database, query: str, **parameters: object) -> bytes:
    """JSON of a query that always gives a row.

    Raises:
        DatabaseError: it gave none, which is a mistake in the query; DatabaseAway when PostgreSQL cannot be reached.
    """
    found = await db.fetch_json(query, **parameters)
    if found is None:
        raise DatabaseError(f"the query {query} gave no row")
    return found
