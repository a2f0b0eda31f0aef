"""The figures behind the pages Cost and Models that need more than sums by one key."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import StringConstraints
from starlette.responses import Response

from acd.api import spending_examples as examples
from acd.api.describing import described
from acd.api.parameters import YesNo
from acd.api.reports import Asked
from acd.core.comparison import MOST_MODELS, Comparison
from acd.core.spending import CostByHour, CostOverTime, Split, Step
from acd.core.text import WITHOUT_NUL
from acd.reports import comparison, spending
from acd.web import answers

router = APIRouter(prefix="/api/reports", tags=["reports"])

_Name = Annotated[str, StringConstraints(max_length=200, pattern=WITHOUT_NUL)]


@router.get(
    "/cost-over-time",
    summary="Cost over time, by model or target",
    responses=described(CostOverTime, examples.OVER_TIME),
)
async def report_cost_over_time(
    asked: Asked,
    step: Annotated[Step, Query(description="How long a step of time is.")] = "day",
    split: Annotated[Split, Query(alias="splitBy", description="Whose parts.")] = "model",
) -> Response:
    """By the day on which it was spent. `requests` counts unpriced ones too; cost leaves them out."""
    period = await asked.by("day")
    return answers.data(await spending.over_time(asked.db, period, step=step, split_by=split))


@router.get(
    "/cost-by-hour",
    summary="Cost by hour of the week",
    responses=described(CostByHour, examples.BY_HOUR),
)
async def report_cost_by_hour(asked: Asked) -> Response:
    """What the sessions cost that began in each hour, in the database's time zone."""
    return answers.data(await spending.by_hour(asked.db, await asked.by("day")))


@router.get(
    "/model-comparison",
    summary="Models compared on the same targets",
    responses=described(Comparison, examples.COMPARISON),
)
async def report_model_comparison(
    asked: Asked,
    model: Annotated[
        list[_Name] | None,
        Query(max_length=MOST_MODELS, description="Only these families; all that worked."),
    ] = None,
    same_targets: Annotated[
        YesNo,
        Query(alias="sameTargets", description="Only targets on which each of the models worked."),
    ] = "true",
) -> Response:
    """Coding sessions that ended, by the day on which they began; every figure with its interval of 95 %."""
    period = await asked.by("model")
    return answers.data(
        await comparison.of_models(
            asked.db, period, models=model or (), same_targets=same_targets == "true"
        )
    )
