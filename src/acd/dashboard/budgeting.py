"""Budgets of the settings and how far they are used up, for pages."""

from __future__ import annotations

import msgspec

from acd.core.budgets import Amount, Budget
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.budgets import Share, budget_of, shares
from acd.queue.look import read_spending


async def budget_shares(db: Database, settings: Settings) -> list[Share]:
    """How far the bounds of a day and of all are used up; empty where none is set.

    Raises:
        DatabaseAway: there is no database now.
    """
    common = msgspec.structs.replace(budget_of(settings), session=Amount(), target=Amount())
    if common == Budget():
        return []
    spending = await read_spending(db)
    for each in spending.values():  # the same for every target
        return shares(common, each)
    return []
