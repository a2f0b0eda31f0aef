"""What templates show of money and of models: the same on the pages and in the file of `acd report --html`."""

from __future__ import annotations

from typing import Any

from acd.core.billing import part_of
from acd.core.charted import Spent
from acd.core.comparison import Comparison
from acd.core.figures import CommitCostSum, FeatureCostSum
from acd.dashboard import charts, model_charts
from acd.dashboard.stacking import stacks, table_of


def of_money(spent: Spent) -> dict[str, Any]:
    """Of a period: its reports, its charts, its tables."""
    parts = stacks(spent.over_time)
    return {
        "spent": spent,
        "total": spent.targets.total,
        "at_list_price": part_of(spent.targets.total.cost_usd, spent.list_price_cost_usd),
        "stacks": parts,
        "by_step": table_of(parts),
        "charts": {
            "over_time": charts.cost_over_time(spent.over_time),
            "cache": charts.cache_hit_rate(spent.cache, spent.over_time.step),
            "results": charts.cost_of_results(spent.features, spent.commits),
            "hours": charts.hours(spent.by_hour),
            "targets": charts.targets(spent.targets),
        },
        "results": _results(spent),
        "hours": {(row.weekday, row.hour): row for row in spent.by_hour.rows},
    }


def of_models(told: Comparison) -> dict[str, Any]:
    """Of a comparison: itself and its charts."""
    return {
        "compared": told,
        "comparing": {
            "success": model_charts.success_rate(told),
            "features": model_charts.features_per_session(told),
            "cost": model_charts.cost_per_feature(told),
            "duration": model_charts.duration(told),
        },
    }


def _results(spent: Spent) -> list[tuple[FeatureCostSum, CommitCostSum]]:
    """By model: what a feature and what a commit cost."""
    commits = {row.key: row for row in spent.commits.rows}
    return [(row, commits[row.key]) for row in spent.features.rows if row.key in commits]
