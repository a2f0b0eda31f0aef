"""What the harness found out about a target's features so far: what its next session has to know and to check again."""

from __future__ import annotations

from uuid import UUID

import msgspec

from acd.database.connection import Database
from acd.harness.plan import Rejection


class Judged(msgspec.Struct, frozen=True):
    """See `SessionPlan`, whose fields these become."""

    rejections: list[Rejection] = []
    verified: list[str] = []
    to_recheck: list[str] = []


async def read_judged(db: Database, target_id: UUID) -> Judged:
    """Read it.

    Raises:
        DatabaseError: as `Database.fetch_all`.
    """
    rows = await db.fetch_all("queue.judged", target_id=target_id)
    return msgspec.convert(rows[0], Judged)
