"""Beginning a session under a bound of sessions: counted under a lock, so that those that begin at one moment see each other.

A session is in the tables when its first fact is recorded, which is a moment after it began. Until then the place of its
target says which session its worker begins.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from acd.core.budgets import Budget, tighter
from acd.core.models import Target
from acd.database.connection import Database
from acd.queue.connector import patiently
from acd.queue.steps import Wait

_LOOK_AGAIN = timedelta(seconds=2)


class Beginnings:
    """For one process. `budget` is that of the settings."""

    def __init__(self, db: Database, budget: Budget, give_up: asyncio.Event) -> None:
        self._db = db
        self._budget = budget
        self._give_up = give_up

    async def may_begin(self, target: Target, number: int) -> bool:
        """Whether session `number` of a target that we hold is within the bounds of the day and in all.

        Raises:
            DatabaseError: as `patiently`.
        """
        budget = tighter(self._budget, target.budget)
        bounds = {"day": budget.day.sessions, "total": budget.total.sessions}
        if all(bound is None for bound in bounds.values()):
            return True

        async def begin() -> bool:
            async with self._db.transaction() as transaction:
                await transaction.execute("budgets.lock_beginnings")
                begun = await transaction.fetch_one("budgets.begun", target_id=target.id)
                within = begun is not None and all(
                    bound is None or begun[scope] < bound for scope, bound in bounds.items()
                )
                if within:
                    await transaction.execute(
                        "budgets.begin", target_id=target.id, session_number=number
                    )
                return within

        return await patiently(begin, self._give_up)


def waiting_for_the_last(now: datetime) -> Wait:
    """Look again when it is recorded what the others began."""
    return Wait(now + _LOOK_AGAIN, "sessions begin that may be the last ones of the budget")
