"""Reading one target's feature list into the database, when somebody asks for it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from acd.core.errors import AcdError
from acd.database.connection import Database
from acd.queue.look import queue_file_here, read_states
from acd.queue.sync import record_list
from acd.reports import features


class ListElsewhere(AcdError):
    """Another machine, `host`, has the target's repository."""

    def __init__(self, host: str) -> None:
        super().__init__(f"the repository is on the machine {host}")
        self.host = host


class ListUnreadable(AcdError):
    """The feature list is there but cannot be read; names the target and why."""


async def sync_features(db: Database, host_name: str, target_id: UUID) -> int | None:
    """Record a target's feature list as it stands now.

    Returns:
        How many features it holds (0 where there is no list yet); None when there is no such target.

    Raises:
        ListElsewhere: its queue file, and so its repository, is one of another machine.
        ListUnreadable: it is there but cannot be read; what was recorded before stays.
        DatabaseError: the database did not take it.
    """
    states = await read_states(db, datetime.now(UTC), [target_id])
    if not states:
        return None
    host = (states[0].queue_file or "").partition(":")[0]
    if host and host != host_name:
        raise ListElsewhere(host)
    queue_file = queue_file_here(states[0], host_name)
    problem = await record_list(
        db, states[0].target, queue_file.parent if queue_file else None, host_name
    )
    if problem:
        raise ListUnreadable(problem)
    return await features.count(db, target_id) if problem is None else 0
