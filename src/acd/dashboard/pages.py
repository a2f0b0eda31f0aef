"""The pages. One so far: the overview at `/`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from acd import __version__
from acd.core.contract import ErrorRow, ModelUsage, RunningSession, SessionRow, Summary, TargetRow
from acd.core.errors import DatabaseAway
from acd.dashboard.charts import bars
from acd.dashboard.formats import FILTERS
from acd.database.connection import Database
from acd.reports import errors, live, sessions, targets, usage
from acd.reports.rows import row_of, rows_of
from acd.web.errors import RETRY_AFTER_S
from acd.web.parts import GivenDatabase

SESSIONS_SHOWN = 15
ERRORS_SHOWN = 10
DAYS_SHOWN = 14


def static_files() -> StaticFiles:
    """The style sheet, out of the package."""
    return StaticFiles(packages=[("acd.dashboard", "static")])


def build_router() -> APIRouter:
    """Routes of the pages, with their templates loaded."""
    templates = _templates()
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def show_overview(db: GivenDatabase) -> Response:
        """Everything at a glance, or a plain page that says that the database is away."""
        try:
            figures = await _overview(db)
        except DatabaseAway:
            page = templates.get_template("away.html").render(retry_after=RETRY_AFTER_S)
            return HTMLResponse(page, 503, {"Retry-After": str(RETRY_AFTER_S)})
        return HTMLResponse(templates.get_template("overview.html").render(figures))

    return router


def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("acd.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(FILTERS)
    templates.globals["version"] = __version__
    return templates


async def _overview(db: Database) -> dict[str, Any]:
    spending = row_of(await usage.by_model(db, days=DAYS_SHOWN), ModelUsage)
    return {
        "summary": row_of(await targets.summary(db), Summary),
        "targets": rows_of(await targets.recent(db), TargetRow),
        "running": rows_of(await live.running(db), RunningSession),
        "sessions": rows_of(await sessions.recent(db, limit=SESSIONS_SHOWN), SessionRow),
        "errors": rows_of(await errors.recent(db, limit=ERRORS_SHOWN), ErrorRow),
        "spending": spending,
        "cost_bars": bars([(day.date, day.cost) for day in spending.by_day]),
    }
