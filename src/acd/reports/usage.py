"""Tokens and cost. Each function gives JSON and raises DatabaseAway when there is no database."""

from __future__ import annotations

from uuid import UUID

from acd.database.connection import Database
from acd.reports._read import read


async def by_model(db: Database, *, days: int = 7, repo_id: str | None = None) -> bytes:
    """One `ModelUsage` of the last `days` days, today included, days being those of the database's time zone."""
    return await read(db, "usage.by_model", days=days, repo_id=repo_id)


async def recent(
    db: Database,
    *,
    limit: int = 100,
    after: tuple[str, ...] = ("infinity", ""),
    session_id: UUID | None = None,
    repo_id: str | None = None,
    model: str | None = None,
) -> bytes:
    """Array of `RequestRow`, newest first.

    `after` is the place behind which it begins: `listedAt` and `requestKey` of a row, as they stand in the JSON.
    """
    return await read(
        db,
        "usage.recent",
        limit=limit,
        after_at=after[0],
        after_key=after[1],
        session_id=session_id,
        repo_id=repo_id,
        model=model,
    )
