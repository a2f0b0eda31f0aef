"""What the page Cost and `acd report --html` draw of one period, read together."""

from __future__ import annotations

import asyncio

from acd.core.charted import Spent
from acd.core.figures import CacheSum, CommitCostSum, CostSum, FeatureCostSum, Report
from acd.core.spending import CostByHour, CostOverTime, Split, Step
from acd.database.connection import Database
from acd.reports import figures, spending, used
from acd.reports.figures import Period
from acd.reports.rows import row_of


async def spent(db: Database, period: Period, *, step: Step, split_by: Split) -> Spent:
    """All of it; the period's own key is not asked. The cache is told by `step` too.

    Raises:
        DatabaseAway: there is no database now.
    """
    by_target, by_model, by_step = (period._replace(by=key) for key in ("target", "model", step))
    (over_time, by_hour, listed), (targets, cache, features, commits) = await asyncio.gather(
        asyncio.gather(
            spending.over_time(db, period, step=step, split_by=split_by),
            spending.by_hour(db, period),
            used.at_list_price_of_days(db, period.first, period.last, period.repo_id),
        ),
        asyncio.gather(
            figures.cost(db, by_target),
            figures.cache(db, by_step),
            figures.cost_per_feature(db, by_model),
            figures.cost_per_commit(db, by_model),
        ),
    )
    return Spent(
        over_time=row_of(over_time, CostOverTime),
        by_hour=row_of(by_hour, CostByHour),
        targets=row_of(targets, Report[CostSum]),
        cache=row_of(cache, Report[CacheSum]),
        features=row_of(features, Report[FeatureCostSum]),
        commits=row_of(commits, Report[CommitCostSum]),
        list_price_cost_usd=listed,
    )
