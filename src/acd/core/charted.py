"""What the page Cost and `acd report --html` draw of one period, as types."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from acd.core.figures import CacheSum, CommitCostSum, CostSum, FeatureCostSum, Report
from acd.core.spending import CostByHour, CostOverTime


class Spent(NamedTuple):
    """Reports of one period: over time, by hour, by target; the cache by step of time; features and commits by model.

    `list_price_cost_usd`: the part of the cost that is of sessions under a subscription, which are not billed by the token.
    """

    over_time: CostOverTime
    by_hour: CostByHour
    targets: Report[CostSum]
    cache: Report[CacheSum]
    features: Report[FeatureCostSum]
    commits: Report[CommitCostSum]
    list_price_cost_usd: Decimal
