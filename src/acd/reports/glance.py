"""What the command line asks beyond the API. Each function raises DatabaseAway when there is no database."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from acd.core.contract import CommitRow, ModelSpending, TargetName
from acd.database.connection import Database
from acd.reports._read import read

_AMBIGUOUS = 2


class TargetSpending(ModelSpending, frozen=True):
    """What one target used in a period."""

    target: TargetName


class RecentCommit(CommitRow, frozen=True):
    """A commit, with the target that it was made on."""

    target: TargetName


class Standing(msgspec.Struct, frozen=True, rename="camel"):
    """What a person should know of the figures as a whole; `gap_usd` is what agents reported minus our price."""

    gap_sessions: int
    gap_usd: Decimal
    left_out_lines: int
    open_errors: int


async def sessions_named(db: Database, prefix: str) -> list[UUID]:
    """Sessions whose id begins with `prefix`, at most two: enough to know that it is ambiguous."""
    literal = prefix.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = await db.fetch_all("glance.sessions_named", prefix=literal, limit=_AMBIGUOUS)
    return [row["id"] for row in rows]


async def session_numbered(db: Database, repo_id: str, number: int) -> UUID | None:
    """The session of a target with this number."""
    row = await db.fetch_one("glance.session_numbered", repo_id=repo_id, number=number)
    return row["id"] if row else None


async def timeline(db: Database, session_id: UUID, *, limit: int) -> bytes:
    """Array of `TimelineRow`: the last `limit` events of a session, oldest first."""
    return await read(db, "glance.timeline", id=session_id, limit=limit)


async def commits(db: Database, *, limit: int) -> bytes:
    """Array of `RecentCommit`: commits of all targets, newest first."""
    return await read(db, "glance.commits", limit=limit)


async def usage_by_target(db: Database, *, days: int) -> bytes:
    """Array of `TargetSpending` of the last `days` days, today included, the costliest first."""
    return await read(db, "glance.usage_by_target", days=days)


async def standing(db: Database) -> bytes:
    """One `Standing`."""
    return await read(db, "glance.standing")
