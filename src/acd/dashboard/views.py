"""What templates show of money and of models: the same on the pages and in the file of `acd report --html`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from acd.core.charted import Spent
from acd.core.comparison import Comparison
from acd.dashboard import charts, model_charts
from acd.dashboard.stacking import stacks, table_of


def of_money(spent: Spent) -> dict[str, Any]:
    """Of a period: its reports, its charts, its tables."""
    parts = stacks(spent.over_time)
    return {
        "spent": spent,
        "total": spent.targets.total,
        "stacks": parts,
        "by_step": table_of(parts),
        "charts": {
            "over_time": charts.cost_over_time(spent.over_time),
            "cache": charts.cache_hit_rate(spent.cache),
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


def _results(spent: Spent) -> list[tuple[str, Decimal | None, int, Decimal | None, int]]:
    """By model: cost of a feature and how many, cost of a commit and how many."""
    commits = {row.key: row for row in spent.commits.rows}
    return [
        (
            row.key or "unknown",
            row.cost_per_feature,
            row.features_completed,
            commits[row.key].cost_per_commit,
            commits[row.key].commits,
        )
        for row in spent.features.rows
        if row.key in commits
    ]
