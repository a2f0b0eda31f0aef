"""Sessions. Each function gives JSON and raises DatabaseAway when there is no database."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from acd.database.connection import Database
from acd.reports._read import read


async def recent(
    db: Database,
    *,
    limit: int = 50,
    repo_id: str | None = None,
    model: str | None = None,
    status: str | None = None,
    session_type: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> bytes:
    """Array of `SessionRow`, newest first: those started at `since` or later and before `until`.

    A time without a zone is one in the zone of the database.
    """
    return await read(
        db,
        "sessions.recent",
        limit=limit,
        repo_id=repo_id,
        model=model,
        status=status,
        type=session_type,
        since=since,
        until=until,
    )


async def one(db: Database, session_id: UUID) -> bytes | None:
    """A `SessionRow` with `requestsByModel`, `errors`, `commits` and `featureChanges`; None when there is none."""
    return await db.fetch_json("sessions.one", id=session_id)
