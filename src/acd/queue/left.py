"""Turns that a worker leaves to others: for a while, or because it cannot work their targets where it is.

A worker that took such a turn gives it back and takes no turn of that target for some time, so that nobody spins. It
looks again now and then: a folder may appear, a queue file may be edited.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from uuid import UUID

from acd.database.connection import Database

# A target whose work is on another machine that lives is left to it without being taken first.
_OPEN = """
SELECT DISTINCT j.queue_name
FROM acd_queue.procrastinate_jobs j
WHERE j.task_name = %(turn)s AND j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
  AND NOT EXISTS (
      SELECT FROM target_places p JOIN workers w ON w.host = p.host
      WHERE p.target_id = j.queue_name::uuid AND p.host <> %(host)s AND w.lease_until > now()
        AND NOT p.target_id = ANY (w.left_targets))
"""


class LeftTargets:
    """What one process leaves to others now. `changed` is set when there is news for them."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._until: dict[UUID, float] = {}
        self._for_good: set[UUID] = set()

    def leave(self, target_id: UUID, seconds: float, *, for_good: bool) -> None:
        """Take no turn of the target for so many seconds. `for_good`: it cannot be worked here, as far as we see."""
        self._until[target_id] = time.monotonic() + seconds
        if for_good and target_id not in self._for_good:
            self._for_good.add(target_id)
            self.changed.set()

    def take(self, target_id: UUID) -> None:
        """It can be worked here after all."""
        self._until.pop(target_id, None)
        if target_id in self._for_good:
            self._for_good.discard(target_id)
            self.changed.set()

    def now(self) -> set[UUID]:
        """The targets whose turns are not to be taken now."""
        moment = time.monotonic()
        self._until = {each: until for each, until in self._until.items() if until > moment}
        return set(self._until)

    def for_good(self) -> set[UUID]:
        """Those that cannot be worked on this machine."""
        return set(self._for_good)


async def open_queues(
    db: Database, turn: str, host_name: str, left: set[UUID], asked: Iterable[str] | None
) -> list[str]:
    """The engine's queues from which a worker of this machine may take a turn now.

    Args:
        db: where the turns stand.
        turn: the engine's name for a turn.
        host_name: this machine.
        left: targets that are left to others now.
        asked: queues that are wanted at all; None: every one.

    Raises:
        DatabaseError: as `Database.transaction`.
    """
    async with db.transaction() as transaction:
        rows = await transaction.fetch_foreign(_OPEN, {"turn": turn, "host": host_name})
    closed = {target_id.hex for target_id in left}
    wanted = None if asked is None else set(asked)
    return [
        name
        for name in (row["queue_name"] for row in rows)
        if name not in closed and (wanted is None or name in wanted)
    ]
