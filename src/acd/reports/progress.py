"""Progress over time. Each function gives JSON and raises DatabaseAway when there is no database."""

from __future__ import annotations

from acd.database.connection import Database
from acd.reports._read import read


async def recent(db: Database, *, days: int = 7, repo_id: str | None = None) -> bytes:
    """Array of `SnapshotRow` of the last `days` days, today included, newest first."""
    return await read(db, "progress.recent", days=days, repo_id=repo_id)


async def by_day(db: Database, *, days: int = 30, repo_id: str | None = None) -> bytes:
    """Array of `FeatureDay`, oldest first, of one target or of all together."""
    return await read(db, "progress.by_day", days=days, repo_id=repo_id)


async def lines(db: Database, *, days: int = 14) -> bytes:
    """Object: each target's id in the queue file to its passing features by day, today last."""
    return await read(db, "progress.lines", days=days)


async def passed_at(db: Database, *, limit: int = 1000, repo_id: str | None = None) -> bytes:
    """Array of the times at which the features that pass now were first seen passing, newest first."""
    return await read(db, "progress.passed_at", limit=limit, repo_id=repo_id)
