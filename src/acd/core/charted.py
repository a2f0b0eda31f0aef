"""What the page Cost and `acd report --html` draw of one period, as types."""

from __future__ import annotations

from typing import NamedTuple

from acd.core.figures import CacheSum, CommitCostSum, CostSum, FeatureCostSum, Report
from acd.core.spending import CostByHour, CostOverTime


class Spent(NamedTuple):
    """Reports of one period: over time, by hour, by target; the cache by step of time; features and commits by model."""

    over_time: CostOverTime
    by_hour: CostByHour
    targets: Report[CostSum]
    cache: Report[CacheSum]
    features: Report[FeatureCostSum]
    commits: Report[CommitCostSum]
