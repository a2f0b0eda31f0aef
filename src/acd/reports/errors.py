"""Errors of agents and of the harness."""

from __future__ import annotations

from acd.database.connection import Database
from acd.reports._read import read


async def recent(
    db: Database,
    *,
    limit: int = 50,
    resolved: bool | None = False,
    error_type: str | None = None,
    repo_id: str | None = None,
) -> bytes:
    """Array of `ErrorRow`, newest first; `resolved` None gives both kinds.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await read(
        db, "errors.recent", limit=limit, resolved=resolved, type=error_type, repo_id=repo_id
    )
