"""The overview at `/`: what runs, today beside other days, what needs a person, what was done."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from acd.core.contract import ModelUsage, Summary
from acd.core.glance_rows import RecentCommit, Standing, TargetSpending
from acd.core.progress_rows import FeatureDay, Forecast
from acd.core.queue_rows import Queue, QueueEntry
from acd.dashboard.budgeting import budget_shares
from acd.dashboard.burning import burn_up, passed_where_needed
from acd.dashboard.comparing import compare_days
from acd.dashboard.drawing import bars
from acd.dashboard.lately import lately
from acd.dashboard.shell import Entry, GivenShell
from acd.database.connection import Database
from acd.queue.standing import read_queue
from acd.reports import forecast, glance, progress, targets, usage, used
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
    """All of it, asked at the same time: each answer is shared with whoever asks the same."""
    db = lately(parts.db)
    queue, days, budgets, progressed, money = await asyncio.gather(
        read_queue(db, parts.settings),
        compare_days(db),
        budget_shares(db, parts.settings),
        _progress(db),
        _money(db),
    )
    return {
        **progressed,
        **money,
        "running": queue.running,
        "queue": queue,
        "stuck": stuck_targets(queue),
        "days": days,
        "budgets": budgets,
    }


async def _progress(db: Database) -> dict[str, Any]:
    total, standing, found, ahead, made = await asyncio.gather(
        targets.summary(db),
        glance.standing(db),
        progress.by_day(db, days=BURN_DAYS),
        forecast.forecast(db),
        glance.commits(db, limit=COMMITS_SHOWN),
    )
    features, expected = rows_of(found, FeatureDay), row_of(ahead, Forecast)
    passed = await passed_where_needed(db, features)
    return {
        "summary": row_of(total, Summary),
        "standing": row_of(standing, Standing),
        "forecast": expected,
        "burn": burn_up(features, passed, expected, datetime.now(UTC)),
        "commits": rows_of(made, RecentCommit),
    }


async def _money(db: Database) -> dict[str, Any]:
    week, by_model, listed = await asyncio.gather(
        glance.usage_by_target(db, days=WEEK),
        usage.by_model(db, days=DAYS_SHOWN),
        used.priced_how(db),
    )
    spending = row_of(by_model, ModelUsage)
    return {
        "costliest": rows_of(week, TargetSpending)[:TARGETS_SHOWN],
        "at_list_price": listed,
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
