"""The page Cost at `/cost`: over time, by hour, by target; what the cache saved; what a feature and a commit cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from acd.core.contract import TargetRow
from acd.core.glance_rows import TargetSpending
from acd.core.spending import Split
from acd.dashboard import charts, script
from acd.dashboard.ranges import PRESETS, Range, kept, step_of
from acd.dashboard.shell import Entry, GivenShell
from acd.dashboard.stacking import stacks, table_of
from acd.reports import charted, glance, targets
from acd.reports.charted import Spent
from acd.reports.rows import rows_of
from acd.web.parts import GivenDatabase

ENTRY = Entry("Cost", "/cost", "c", "cost")
WEEK = 7

router = APIRouter()


@router.get("/cost")
async def show_cost(
    request: Request,
    db: GivenDatabase,
    shell: GivenShell,
    asked: Annotated[Range, Depends()],
    split: Annotated[Split, Query(alias="by")] = "model",
) -> Response:
    """Where the money went in a range of days."""
    period = await asked.period(db)
    step = step_of(period)
    spent = await charted.spent(db, period, step=step, split_by=split)
    week = rows_of(await glance.usage_by_target(db, days=WEEK), TargetSpending)
    figures = {
        "asked": asked,
        "presets": PRESETS,
        "period": period,
        "step": step,
        "split": split,
        "kept": kept({"by": split if split != "model" else None, "target": asked.target}),
        "targets": rows_of(await targets.recent(db), TargetRow),
        "costliest": next((one for one in week if one.cost > 0), None),
        **shown(spent),
    }
    return shell.page(request, "cost.html", figures)


def shown(spent: Spent) -> dict[str, Any]:
    """What templates show of a period: its reports, its figures, its tables. The page and the report share it."""
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
        "templates": charts.safe_json(charts.templates()),
        "plotly": script.script_address(),
        "results": _results(spent),
        "hours": {(row.weekday, row.hour): row for row in spent.by_hour.rows},
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
