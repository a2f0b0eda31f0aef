"""Features of a target."""

from __future__ import annotations

from uuid import UUID

from acd.database.connection import Database


async def of_target(db: Database, repo_id: str, *, removed: bool = False) -> bytes | None:
    """Array of `FeatureRow`, what does not pass first, then by priority; None when there is no such target.

    Features that were removed from the list come only when `removed` is true: they count in no total.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await db.shared_json("features.of_target", repo_id=repo_id, removed=removed)


async def count(db: Database, target_id: UUID) -> int:
    """How many features a target's list holds, as far as it was recorded.

    Raises:
        DatabaseAway: there is no database now.
    """
    row = await db.fetch_one("features.counted", target_id=target_id)
    return int(row["features"]) if row else 0
