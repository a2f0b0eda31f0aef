"""One session's timeline with its requests beside it, part by part. Each function raises DatabaseAway without a database."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from acd.database.connection import Database
from acd.reports._read import read

_STEPS = 120
_LOOKED_AT = 200
"""How an end came about stands in the last events of a session."""
_ENDING = (
    *("ended", "delivered", "leftovers_kept", "budget", "limit_hit", "harness_failed"),
    *("agent_failed", "work_left", "report"),
)


class Place(NamedTuple):
    """An event of a timeline, and the place behind which a page begins that shows it."""

    event: int | None
    after: int


async def page(
    db: Database,
    session_id: UUID,
    *,
    after_seq: int = -1,
    limit: int,
    kinds: tuple[str, ...] | None = None,
) -> bytes | None:
    """One `TimelinePage`, without requests where only some kinds are asked for; None when there is no such session."""
    return await db.shared_json(
        "timeline.page",
        id=session_id,
        after_seq=after_seq,
        limit=limit,
        kinds=_list(kinds),
        with_requests=kinds is None,
    )


async def place_at(
    db: Database, session_id: UUID, at: datetime, *, context: int = 2
) -> Place | None:
    """Where the first event at `at` or later stands, or else the last one, with `context` events before it.

    None when there is no such session.
    """
    row = await db.fetch_one("timeline.place_at", id=session_id, at=at, context=context)
    return Place(row["event"], row["after"]) if row else None


async def place_before(
    db: Database, session_id: UUID, seq: int, *, limit: int, kinds: tuple[str, ...] | None = None
) -> int:
    """The place behind which the page begins that ends with event `seq`; -1 is the beginning."""
    row = await db.fetch_one(
        "timeline.place_before", id=session_id, seq=seq, limit=limit, kinds=_list(kinds)
    )
    return int(row["after"]) if row else -1


async def curve(db: Database, session_id: UUID) -> bytes:
    """Array of `CurvePoint`, oldest first: cost and tokens so far, in at most 120 steps."""
    return await read(db, "timeline.curve", id=session_id, steps=_STEPS)


async def ending(db: Database, session_id: UUID) -> bytes:
    """Array of `TimelineRow`: what the last events of a session say of its end."""
    return await read(
        db, "timeline.ending", id=session_id, looked_at=_LOOKED_AT, kinds=_list(_ENDING)
    )


def _list(kinds: tuple[str, ...] | None) -> str | None:
    return None if kinds is None else ",".join(kinds)
