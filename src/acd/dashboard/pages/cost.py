"""The page Cost at `/cost`: over time, by hour, by target; what the cache saved; what a feature and a commit cost."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from acd.core.glance_rows import TargetSpending
from acd.core.spending import Split, step_of
from acd.dashboard import views
from acd.dashboard.lately import GivenLately
from acd.dashboard.ranges import PRESETS, Range, kept
from acd.dashboard.script import script_of_charts
from acd.dashboard.shell import Entry, GivenShell
from acd.reports import charted, glance, sessions
from acd.reports.rows import row_of, rows_of

ENTRY = Entry("Cost", "/cost", "c", "cost")
WEEK = 7

router = APIRouter()


@router.get("/cost")
async def show_cost(
    request: Request,
    db: GivenLately,
    shell: GivenShell,
    asked: Annotated[Range, Depends()],
    split: Annotated[Split, Query(alias="by")] = "model",
) -> Response:
    """Where the money went in a range of days."""
    period = await asked.period(db)
    step = step_of(period.first, period.last)
    spent, last_week, choices = await asyncio.gather(
        charted.spent(db, period, step=step, split_by=split),
        glance.usage_by_target(db, days=WEEK),
        sessions.choices(db),
    )
    week = rows_of(last_week, TargetSpending)
    figures = {
        "asked": asked,
        "presets": PRESETS,
        "period": period,
        "step": step,
        "split": split,
        "kept": kept({"by": split if split != "model" else None, "target": asked.target}),
        "targets": row_of(choices, sessions.Choices).targets,
        "costliest": next((one for one in week if one.cost > 0 or one.unpriced_requests), None),
        **views.of_money(spent),
        **script_of_charts(),
    }
    return shell.page(request, "cost.html", figures)
