"""Sessions. Each function gives JSON and raises DatabaseAway when there is no database."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from acd.core.contract import Row, TargetName
from acd.database.connection import Database
from acd.reports._read import FIRST, read


class Choices(Row, frozen=True):
    """What sessions can be chosen by: targets by name, models and agents that targets had last."""

    targets: list[TargetName]
    models: list[str]
    agents: list[str]


async def recent(
    db: Database,
    *,
    limit: int = 50,
    after: tuple[str, ...] = FIRST,
    repo_id: str | None = None,
    model: str | None = None,
    status: str | None = None,
    session_type: str | None = None,
    agent: str | None = None,
    q: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> bytes:
    """Array of `SessionRow`, newest first: those started at `since` or later and before `until`.

    `after` is the place behind which it begins: `startedAt` and `id` of a row, as they stand in the JSON.
    `model` is the one asked for or the one used; `q` is looked for in the target's name and id, the error's message, the
    branch, the machine, and at the beginning of the session's id. A time without a zone is one in the zone of the database.
    """
    return await read(
        db,
        "sessions.recent",
        limit=limit,
        after_at=after[0],
        after_id=after[1],
        repo_id=repo_id,
        model=model,
        status=status,
        type=session_type,
        agent=agent,
        q=q,
        since=since,
        until=until,
    )


async def one(db: Database, session_id: UUID) -> bytes | None:
    """A `SessionRow` with `requestsByModel`, `errors`, `commits` and `featureChanges`; None when there is none."""
    return await db.shared_json("sessions.one", id=session_id)


async def events(
    db: Database, session_id: UUID, *, limit: int = 50, after_seq: int = -1
) -> bytes | None:
    """Array of `TimelineRow`, oldest first, of the events after `after_seq`; None when there is no such session."""
    return await db.shared_json("sessions.events", id=session_id, limit=limit, after_seq=after_seq)


async def whereabouts(db: Database, session_id: UUID) -> tuple[str | None, bool] | None:
    """The machine that has the session's files and whether it still runs; None when there is no such session."""
    row = await db.fetch_one("sessions.whereabouts", id=session_id)
    return (row["host"], row["status"] == "running") if row else None


async def choices(db: Database) -> bytes:
    """One `Choices`."""
    return await read(db, "sessions.choices")
