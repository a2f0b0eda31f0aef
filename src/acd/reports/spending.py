"""Where money went: over time by model or target, and by hour. Raises DatabaseAway when there is no database."""

from __future__ import annotations

from acd.core.spending import Split, Step
from acd.database.connection import Database
from acd.reports._read import read
from acd.reports.figures import Period


async def over_time(db: Database, period: Period, *, step: Step, split_by: Split) -> bytes:
    """One `CostOverTime` of the period's days and target; its key is not asked."""
    return await read(
        db,
        "spending.over_time",
        step=step,
        split_by=split_by,
        repo_id=period.repo_id,
        **{"from": period.first, "to": period.last},
    )


async def by_hour(db: Database, period: Period) -> bytes:
    """One `CostByHour` of the period's days and target; its key is not asked."""
    return await read(
        db,
        "spending.by_hour",
        repo_id=period.repo_id,
        **{"from": period.first, "to": period.last},
    )
