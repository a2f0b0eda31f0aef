"""Progress over time."""

from __future__ import annotations

from acd.database.connection import Database
from acd.reports._read import read


async def recent(db: Database, *, days: int = 7, repo_id: str | None = None) -> bytes:
    """Array of `SnapshotRow` of the last `days` days, today included, newest first.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await read(db, "progress.recent", days=days, repo_id=repo_id)
