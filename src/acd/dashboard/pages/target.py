"""One target at `/targets/{id}`: burn-up, features with evidence, sessions, commits, errors, cost by model and day."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from acd.core.contract import (
    CommitRow,
    ErrorRow,
    FeatureRow,
    ModelUsage,
    SessionRow,
    TargetRow,
)
from acd.core.progress_rows import FeatureDay, Forecast
from acd.core.text import WITHOUT_NUL
from acd.dashboard.burning import burn_up, passed_where_needed
from acd.dashboard.drawing import bars
from acd.dashboard.lately import lately
from acd.dashboard.shell import GivenShell
from acd.database.connection import Database
from acd.queue.standing import read_queue
from acd.reports import (
    commits,
    errors,
    features,
    forecast,
    progress,
    sessions,
    targets,
    usage,
    used,
)
from acd.reports.rows import row_of, rows_of
from acd.web.parts import GivenParts

DAYS_SHOWN = 30
SESSIONS_SHOWN = 12
SESSIONS_KNOWN = 100
"""Sessions whose numbers stand beside features; a feature of an older one names the session by its id."""
COMMITS_SHOWN = 12
ERRORS_SHOWN = 10
_LONGEST = 200

FeatureWord = Literal[
    "", "passing", "claimed", "rejected", "regressed", "pending", "blocked", "skipped"
]

# What a person should look at comes first, what is done last; among equals the order of the API stays.
_FIRST = {"regressed": -3, "rejected": -2, "claimed": -1, "blocked": 0, "passing": 3, "skipped": 2}

router = APIRouter()


@router.get("/targets/{repo_id:path}")
async def show_target(
    request: Request,
    parts: GivenParts,
    shell: GivenShell,
    repo_id: Annotated[str, Path(min_length=1, max_length=_LONGEST, pattern=WITHOUT_NUL)],
    feature: FeatureWord = "",
    q: Annotated[str, Query(max_length=_LONGEST, pattern=WITHOUT_NUL)] = "",
) -> Response:
    """Everything of one target; `feature` and `q` choose among its features."""
    db = lately(parts.db)
    found = await features.of_target(db, repo_id)
    if found is None:
        raise HTTPException(404, f"No target has the id {repo_id!r}.")
    queue, figures = await asyncio.gather(read_queue(db, parts.settings), _figures(db, repo_id))
    entry = next((each for each in queue.targets if each.target.repo_id == repo_id), None)
    running = [each for each in queue.running if each.target.repo_id == repo_id]
    shown = {
        "entry": entry,
        "running": running,
        **_features(rows_of(found, FeatureRow), feature, q.strip()),
        **figures,
    }
    return shell.page(request, "target.html", shown)


def _features(rows: list[FeatureRow], status: str, q: str) -> dict[str, Any]:
    """Those that are asked for, and how many there are of each status."""
    words = q.lower()
    shown = [
        row
        for row in rows
        if status in ("", row.status)
        and words in f"{row.name} {row.feature_key} {row.description}".lower()
    ]
    shown.sort(key=lambda row: _FIRST.get(row.status, 1))
    counts = Counter(row.status for row in rows)
    return {"features": shown, "counts": counts, "status": status, "q": q, "all": len(rows)}


async def _figures(db: Database, repo_id: str) -> dict[str, Any]:
    """All of it, asked at the same time."""
    (rows, by_day, ahead, listed), (spent, begun, made, open_) = await asyncio.gather(
        asyncio.gather(
            targets.recent(db, q=repo_id),
            progress.by_day(db, days=DAYS_SHOWN, repo_id=repo_id),
            forecast.forecast(db, repo_id=repo_id),
            used.priced_how(db, repo_id),
        ),
        asyncio.gather(
            usage.by_model(db, days=DAYS_SHOWN, repo_id=repo_id),
            sessions.recent(db, limit=SESSIONS_KNOWN, repo_id=repo_id),
            commits.of_target(db, repo_id, limit=COMMITS_SHOWN),
            errors.recent(db, limit=ERRORS_SHOWN, repo_id=repo_id),
        ),
    )
    days, expected = rows_of(by_day, FeatureDay), row_of(ahead, Forecast)
    passed = await passed_where_needed(db, days, repo_id)
    spending, last = row_of(spent, ModelUsage), rows_of(begun, SessionRow)
    target = next((row for row in rows_of(rows, TargetRow) if row.repo_id == repo_id), None)
    if target is None:  # it came within the last second
        raise HTTPException(404, f"No target has the id {repo_id!r} yet.")
    return {
        "target": target,
        "forecast": expected,
        "burn": burn_up(days, passed, expected, datetime.now(UTC)),
        "at_list_price": listed,
        "spending": spending,
        "cost_bars": bars([(day.date, day.cost) for day in spending.by_day]),
        "sessions": last[:SESSIONS_SHOWN],
        "session_numbers": {row.id: row.session_number for row in last},
        "commits": rows_of(made or b"[]", CommitRow),
        "errors": rows_of(open_, ErrorRow),
    }
