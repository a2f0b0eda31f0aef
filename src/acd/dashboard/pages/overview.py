"""The overview at `/`: what runs, today beside other days, what needs a person, what was done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from acd.core.contract import ModelUsage, RunningSession, Summary
from acd.core.glance_rows import RecentCommit, Standing, TargetSpending
from acd.core.progress_rows import FeatureDay, Forecast
from acd.core.queue_rows import Queue, QueueEntry
from acd.core.summary_rows import NightSummary
from acd.dashboard.budgeting import budget_shares
from acd.dashboard.burning import burn_up, passed_where_needed
from acd.dashboard.comparing import compare_days
from acd.dashboard.drawing import bars
from acd.dashboard.shell import Entry, GivenShell
from acd.queue.standing import read_queue
from acd.reports import forecast, glance, live, progress, summary, targets, usage
from acd.reports.rows import row_of, rows_of
from acd.web.parts import GivenParts, Parts

ENTRY = Entry("Overview", "/", "o", "overview")
COMMITS_SHOWN = 6
TARGETS_SHOWN = 6
WEEK = 7
DAYS_SHOWN = 14
BURN_DAYS = 30

router = APIRouter()


@router.get("/")
async def show_overview(request: Request, parts: GivenParts, shell: GivenShell) -> Response:
    """Everything at a glance."""
    return shell.page(request, "overview.html", await _figures(parts))


async def _figures(parts: Parts) -> dict[str, Any]:
    db = parts.db
    queue = await read_queue(db, parts.settings)
    week = rows_of(await glance.usage_by_target(db, days=WEEK), TargetSpending)
    spending = row_of(await usage.by_model(db, days=DAYS_SHOWN), ModelUsage)
    ahead = row_of(await forecast.forecast(db), Forecast)
    features = rows_of(await progress.by_day(db, days=BURN_DAYS), FeatureDay)
    passed = await passed_where_needed(db, features)
    return {
        "summary": row_of(await targets.summary(db), Summary),
        "running": rows_of(await live.running(db), RunningSession),
        "queue": queue,
        "stuck": stuck_targets(queue),
        "standing": row_of(await glance.standing(db), Standing),
        "days": await compare_days(db),
        "forecast": ahead,
        "burn": burn_up(features, passed, ahead, datetime.now(UTC)),
        "budgets": await budget_shares(db, parts.settings),
        "costliest": week[:TARGETS_SHOWN],
        "night": row_of(await summary.of_period(db), NightSummary),
        "commits": rows_of(await glance.commits(db, limit=COMMITS_SHOWN), RecentCommit),
        "spending": spending,
        "cost_bars": bars([(day.date, day.cost) for day in spending.by_day]),
    }


def stuck_targets(queue: Queue) -> list[QueueEntry]:
    """Targets that a person should look at: the queue has given them up, or their last sessions failed."""
    given_up = [entry for entry in queue.targets if entry.state == "blocked"]
    failing = [
        entry
        for entry in queue.targets
        if entry.state not in ("blocked", "complete", "paused") and entry.failures_in_a_row
    ]
    return given_up + failing
