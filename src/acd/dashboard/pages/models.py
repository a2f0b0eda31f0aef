"""The page Models at `/models`: models on the same targets, each figure with the sessions behind it and its interval."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from acd.core.comparison import MOST_MODELS, Comparison
from acd.core.text import WITHOUT_NUL
from acd.dashboard import views
from acd.dashboard.lately import GivenLately
from acd.dashboard.ranges import PRESETS, Range, kept
from acd.dashboard.script import script_of_charts
from acd.dashboard.shell import Entry, GivenShell
from acd.database.connection import Database
from acd.reports import comparison, used
from acd.reports.figures import Period
from acd.reports.rows import row_of

ENTRY = Entry("Models", "/models", "m", "models")

MANY = 8
"""From more models on they are chosen in a part that is opened."""
router = APIRouter()

_Name = Annotated[str, StringConstraints(max_length=200, pattern=WITHOUT_NUL)]


@router.get("/models")
async def show_models(
    request: Request,
    db: GivenLately,
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
        "many": MANY,
        "at_list_price": await used.priced_how(db, asked.target),
        "known": sorted(one.model for one in known.models)[:MOST_MODELS],
        **views.of_models(told),
        **script_of_charts(),
    }
    return shell.page(request, "models.html", figures)


async def _compared(
    db: Database, period: Period, models: list[str], *, same_targets: bool
) -> Comparison:
    found = await comparison.of_models(db, period, models=models, same_targets=same_targets)
    return row_of(found, Comparison)
