"""Commits that were made while an imported session was at work, on its branch."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from acd.core.errors import GitError
from acd.core.models import Commit
from acd.core.text import printable
from acd.database.connection import Database
from acd.files.there import is_there
from acd.git.repository import Repository
from acd.ledger.rows import CommitRow, json_rows

logger = logging.getLogger("acd.history")


async def link_commits(database: Database, targets: Iterable[UUID]) -> None:
    """Find the commits of the imported sessions of some targets, where their repositories are here.

    A commit belongs to the session that began last among those that were at work on its branch when it was made. Those of
    sessions that acd worked stay theirs. A repository that git cannot read is passed over, with a warning.

    Raises:
        DatabaseAway: what was not linked is linked by the next import of the target.
    """
    for target_id in sorted(targets):
        branches = await database.fetch_all("history.branches_of", target_id=target_id)
        commits: dict[str, Commit] = {}
        for branch in branches:
            for commit in await _commits_of(branch):
                commits.setdefault(commit.sha, commit)
        if commits:
            rows = [CommitRow(**msgspec.structs.asdict(commit)) for commit in commits.values()]
            await database.execute("history.put_commits", target_id=target_id, rows=json_rows(rows))
            await database.execute("history.count_commits", target_id=target_id)


async def _commits_of(branch: dict[str, Any]) -> list[Commit]:
    path = Path(branch["path"])
    if not is_there(path / ".git"):
        return []
    try:
        return await Repository(path).commits_between(
            branch["branch"], branch["since"], branch["until"]
        )
    except GitError as error:
        logger.warning("no commits of %s: %s", printable(str(path)), error)
        return []
