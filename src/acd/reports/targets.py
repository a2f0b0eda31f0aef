"""Targets: the queue with its progress. Each function gives JSON and raises DatabaseAway when there is no database."""

from __future__ import annotations

from acd.database.connection import Database
from acd.reports._read import read


async def recent(
    db: Database, *, status: str | None = None, enabled: bool | None = None, q: str | None = None
) -> bytes:
    """Array of `TargetRow` by priority, each with its last five sessions; `q` is looked for in name, id and path."""
    return await read(db, "targets.recent", status=status, enabled=enabled, q=q)


async def summary(db: Database) -> bytes:
    """One `Summary` of all targets and sessions."""
    return await read(db, "targets.summary")


async def status(db: Database) -> bytes:
    """The queue in the form that clients of the earlier system expect (`GET /api/targets/status`)."""
    return await read(db, "targets.status")
