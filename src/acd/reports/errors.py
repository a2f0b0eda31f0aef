"""Errors of agents and of the harness."""

from __future__ import annotations

from uuid import UUID

from acd.core.errors import DatabaseError
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
    group: str | None = None,
) -> bytes:
    """Array of `ErrorRow`, newest first; `resolved` None gives both kinds, `group` is the key of an `ErrorGroup`.

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
        group=group,
    )


async def groups(
    db: Database,
    *,
    days: int = 14,
    limit: int = 100,
    resolved: bool | None = False,
    error_type: str | None = None,
    repo_id: str | None = None,
    group: str | None = None,
) -> bytes:
    """Array of `ErrorGroup` of the last `days` days, today included: what waits for a person first, then by number.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await read(
        db,
        "errors.groups",
        days=days,
        limit=limit,
        resolved=resolved,
        type=error_type,
        repo_id=repo_id,
        group=group,
    )


async def resolve_group(db: Database, key: str) -> bytes:
    """Mark every error of a group as resolved and give a `GroupResolved`. Doing it again changes nothing.

    Raises:
        DatabaseAway: it is not known whether they were marked; doing it again is safe.
    """
    found = await db.fetch_json("errors.resolve_group", group=key)
    if found is None:
        raise DatabaseError("the query errors.resolve_group gave no row")
    return found


async def resolve(db: Database, error_id: UUID) -> bytes | None:
    """Mark an error as resolved and give its `ErrorRow`; None when there is none. Doing it again changes nothing.

    Raises:
        DatabaseAway: it is not known whether it was marked; doing it again is safe.
    """
    return await db.fetch_json("errors.resolve", id=error_id)
