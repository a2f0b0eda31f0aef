"""Commits made in sessions."""

from __future__ import annotations

from acd.database.connection import Database


async def of_target(db: Database, repo_id: str, *, limit: int = 50) -> bytes | None:
    """Array of `CommitRow`, newest first; None when there is no such target.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await db.fetch_json("commits.of_target", repo_id=repo_id, limit=limit)
