"""Features over time, and when the last one will pass."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from acd.api.describing import NO_TARGET, Shape, described
from acd.api.examples import AT, LATER
from acd.api.parameters import RepoId
from acd.core.progress_rows import FeatureDay, Forecast
from acd.reports import forecast, progress
from acd.reports.stream import target_id
from acd.web import answers
from acd.web.parts import GivenDatabase

router = APIRouter(prefix="/api/reports", tags=["reports"])

MOST_DAYS = 366
_Days = Annotated[int, Query(ge=1, le=MOST_DAYS, description="Days back, today included.")]
_DAY = FeatureDay(
    date=date(2026, 11, 24),
    ends_at=datetime(2026, 11, 25, tzinfo=UTC),
    total_features=40,
    passing_features=31,
    verified_features=28,
)
_FORECAST = Forecast(
    remaining=9,
    gained=21,
    since=AT,
    finish=LATER,
    earliest=LATER,
    latest=LATER,
    reason="if the pace holds: 21 features passed in 7 days",
)


@router.get(
    "/progress",
    summary="Features by day, as they stood at its end",
    responses=described(FeatureDay, _DAY, Shape.ROWS, refusals=[NO_TARGET]),
)
async def report_progress(db: GivenDatabase, days: _Days = 30, repo_id: RepoId = None) -> Response:
    """Of a target, or of all together, oldest first; a day on which nothing was seen has what the day before had."""
    if repo_id is not None and await target_id(db, repo_id) is None:
        raise HTTPException(404, f"No target has the id {repo_id!r}.")
    return answers.data(await progress.by_day(db, days=days, repo_id=repo_id))


@router.get(
    "/forecast",
    summary="When the last feature will pass, with a range",
    responses=described(Forecast, _FORECAST, refusals=[NO_TARGET]),
)
async def report_forecast(db: GivenDatabase, repo_id: RepoId = None) -> Response:
    """Of a target, or of all that are enabled: from the features that passed in the last 7 days, with a range of 80 %."""
    if repo_id is not None and await target_id(db, repo_id) is None:
        raise HTTPException(404, f"No target has the id {repo_id!r}.")
    return answers.data(await forecast.forecast(db, repo_id=repo_id))
