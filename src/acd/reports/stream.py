"""What happens, as it happens: pages of the timelines of all sessions in the order in which they were committed.

Numbers are given out before transactions are committed, so whoever reads "everything above the last number" misses what
a slower writer commits below it (measured: 1,680 of 3,408 rows). Here a row's place begins with its transaction, and
only what lies below the oldest transaction still running is read: nothing can appear there any more.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from acd.core.errors import DatabaseError
from acd.database.connection import Database

CHANNEL = "acd_events"
"""What the ledger notifies when it has written something of the stream."""

_NAMES = {
    "started": "started",
    "ended": "ended",
    "request": "request",
    "feature_changed": "feature",
    "features_seen": "feature",
    "commit_seen": "commit",
    "limit": "limit",
    "limit_hit": "limit",
    "retry": "error",
    "agent_failed": "error",
    "permission_denied": "error",
    "harness_failed": "error",
}
EVENT_NAMES = (*dict.fromkeys(_NAMES.values()), "progress")


class Position(NamedTuple):
    """A place in the stream: what comes behind it is still to be told."""

    txid: int
    seq: int = -1
    rank: int = 0
    key: str = ""


class Horizon(NamedTuple):
    """Up to where (`txid`, exclusive) the stream can be read now; see the query."""

    txid: int
    news: bool
    waiting: bool


class Told(NamedTuple):
    """One event: its place, its name (one of `EVENT_NAMES`), its JSON; None for what is gone in the meantime."""

    position: Position
    name: str
    data: str | None


async def identity(db: Database) -> str:
    """Names the database that positions belong to.

    Raises:
        DatabaseError: the role may not ask; DatabaseAway when PostgreSQL cannot be reached.
    """
    row = await db.fetch_one("stream.identity")
    if row is None:
        raise DatabaseError("the query stream.identity gave no row")
    return str(row["identity"])


async def horizon(db: Database, after: int) -> Horizon:
    """Where the stream ends now, and whether something came since `after`; errors as `identity`."""
    row = await db.fetch_one("stream.horizon", after=str(after))
    if row is None:
        raise DatabaseError("the query stream.horizon gave no row")
    return Horizon(int(row["horizon"]), row["news"], row["waiting"])


async def target_id(db: Database, repo_id: str) -> UUID | None:
    """Id of a target, None where there is none; errors as `identity`."""
    row = await db.fetch_one("stream.target_id", repo_id=repo_id)
    return None if row is None else UUID(str(row["id"]))


async def page(
    db: Database, behind: Position, below: int, *, target_id: UUID | None, limit: int
) -> list[Told]:
    """The next events behind a position and below a horizon; errors as `identity`."""
    rows = await db.fetch_all(
        "stream.page",
        txid=str(behind.txid),
        seq=behind.seq,
        rank=behind.rank,
        key=behind.key,
        horizon=str(below),
        target_id=target_id,
        limit=limit,
    )
    return [
        Told(
            Position(int(row["txid"]), row["seq"], row["rank"], row["key"]),
            _NAMES.get(row["kind"], "progress"),
            row["data"],
        )
        for row in rows
    ]
