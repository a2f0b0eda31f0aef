"""Features of a target."""

from __future__ import annotations

from acd.database.connection import Database


async def of_target(db: Database, repo_id: str, *, removed: bool = False) -> bytes | None:
    """Array of `FeatureRow`, what does not pass first, then by priority; None when there is no such target.

    Features that were removed from the list come only when `removed` is true: they count in no total.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await db.fetch_json("features.of_target", repo_id=repo_id, removed=removed)
