"""Errors of agents and of the harness."""

from __future__ import annotations

from uuid import UUID

from acd.database.connection import Database
from acd.reports._read import FIRST, read


async def recent(
    db: Database,
    *,
    limit: int = 50,
    after: tuple[str, ...] = FIRST,
    resolved: bool | None = False,
    error_type: str | None = None,
    repo_id: str | None = None,
) -> bytes:
    """Array of `ErrorRow`, newest first; `resolved` None gives both kinds.

    `after` is the place behind which it begins: `occurredAt` and `id` of a row, as they stand in the JSON.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await read(
        db,
        "errors.recent",
        limit=limit,
        after_at=after[0],
        after_id=after[1],
        resolved=resolved,
        type=error_type,
        repo_id=repo_id,
    )


async def resolve(db: Database, error_id: UUID) -> bytes | None:
    """Mark an error as resolved and give its `ErrorRow`; None when there is none. Doing it again changes nothing.

    Raises:
        DatabaseAway: it is not known whether it was marked; doing it again is safe.
    """
    return await db.fetch_json("errors.resolve", id=error_id)
