"""The page Models at `/models`: models on the same targets, each figure with the sessions behind it and its interval."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from acd.core.comparison import Comparison
from acd.dashboard import charts, script
from acd.dashboard.ranges import PRESETS, Range, kept
from acd.dashboard.shell import Entry, GivenShell
from acd.database.connection import Database
from acd.reports import comparison
from acd.reports.figures import Period
from acd.reports.rows import row_of
from acd.web.parts import GivenDatabase

ENTRY = Entry("Models", "/models", "m", "models")
MOST_MODELS = 20

router = APIRouter()

_Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


@router.get("/models")
async def show_models(
    request: Request,
    db: GivenDatabase,
    shell: GivenShell,
    asked: Annotated[Range, Depends()],
    model: Annotated[list[_Name] | None, Query(max_length=MOST_MODELS)] = None,
    every: Annotated[bool, Query(alias="all")] = False,
) -> Response:
    """Models beside each other."""
    period = await asked.period(db, "model")
    chosen = model or []
    told = await _compared(db, period, chosen, same_targets=not every)
    # Where no target was worked by all of them, whatever there is is shown, and said to be that.
    apart = not every and not told.models
    if apart:
        told = await _compared(db, period, chosen, same_targets=False)
    known = told if not chosen else await _compared(db, period, [], same_targets=False)
    figures = {
        "asked": asked,
        "presets": PRESETS,
        "period": period,
        "every": every,
        "kept": kept({"model": chosen, "all": "true" if every else None, "target": asked.target}),
        "apart": apart and bool(told.models),
        "chosen": chosen,
        "known": sorted(one.model for one in known.models),
        **shown(told),
    }
    return shell.page(request, "models.html", figures)


def shown(told: Comparison) -> dict[str, Any]:
    """What templates show of a comparison. The page and the report share it."""
    return {
        "compared": told,
        "charts": {
            "success": charts.success_rate(told),
            "features": charts.features_per_session(told),
            "cost": charts.cost_per_feature(told),
            "duration": charts.duration(told),
        },
        "templates": charts.safe_json(charts.templates()),
        "plotly": script.script_address(),
    }


async def _compared(
    db: Database, period: Period, models: list[str], *, same_targets: bool
) -> Comparison:
    found = await comparison.of_models(db, period, models=models, same_targets=same_targets)
    return row_of(found, Comparison)
