"""Commits made in sessions."""

from __future__ import annotations

from acd.database.connection import Database


async def of_target(
    db: Database, repo_id: str, *, limit: int = 50, after: tuple[str, ...] = ("infinity", "")
) -> bytes | None:
    """Array of `CommitRow`, newest first; None when there is no such target.

    `after` is the place behind which it begins: `committedAt` and `sha` of a row, as they stand in the JSON.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await db.shared_json(
        "commits.of_target", repo_id=repo_id, limit=limit, after_at=after[0], after_sha=after[1]
    )
