"""The errors: counted by type and by what their messages have in common, with their trend; and those of one group."""

from __future__ import annotations

import asyncio
from typing import get_args

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from acd.core.contract import ErrorRow
from acd.core.error_rows import ErrorGroup
from acd.core.models import ErrorType
from acd.dashboard import asking
from acd.dashboard.lately import GivenLately
from acd.dashboard.shell import Entry, GivenShell
from acd.reports import errors, sessions
from acd.reports.rows import row_of, rows_of
from acd.web.paging import ERRORS

ENTRY = Entry("Errors", "/errors", "e", "errors")
DAYS = 14
MOST_DAYS = 365
MOST_GROUPS = 100
SHOWN = 50
_KEY_CHARACTERS = frozenset("0123456789abcdef")
_KEY_LENGTH = 32
RESOLVED = {"open": False, "resolved": True, "all": None}
router = APIRouter()


@router.get("/errors")
async def show_errors(request: Request, db: GivenLately, shell: GivenShell) -> Response:
    """Groups: what waits for a person comes first."""
    asked = request.query_params
    state = asking.one_of(asked, "state", tuple(RESOLVED)) or "open"
    error_type = asking.one_of(asked, "type", get_args(ErrorType))
    target = asking.word(asked, "target")
    days = asking.number(asked, "days", least=1, most=MOST_DAYS, otherwise=DAYS)
    report, choices = await asyncio.gather(
        errors.groups(
            db,
            days=days,
            limit=MOST_GROUPS,
            resolved=RESOLVED[state],
            error_type=error_type,
            repo_id=target,
        ),
        sessions.choices(db),
    )
    groups = rows_of(report, ErrorGroup)
    figures = {
        "groups": groups,
        "trends": [_trend(group.by_day) for group in groups],
        "state": state,
        "states": tuple(RESOLVED),
        "type": error_type,
        "types": get_args(ErrorType),
        "target": target,
        "days": days,
        "choices": row_of(choices, sessions.Choices),
        "full": len(groups) == MOST_GROUPS,
    }
    return shell.page(request, "errors.html", figures)


@router.get("/errors/{key}")
async def show_error_group(
    request: Request, db: GivenLately, shell: GivenShell, key: str
) -> Response:
    """The errors of one group, newest first, each with the way to its session."""
    if len(key) != _KEY_LENGTH or not _KEY_CHARACTERS.issuperset(key):
        raise HTTPException(404, "No group of errors has this key.")
    asked = request.query_params
    days = asking.number(asked, "days", least=1, most=MOST_DAYS, otherwise=DAYS)
    cursor = asking.word(asked, "cursor")
    found = rows_of(
        await errors.groups(db, days=days, limit=1, resolved=None, group=key), ErrorGroup
    )
    report = await errors.recent(
        db, limit=SHOWN, after=ERRORS.place(cursor), resolved=None, group=key
    )
    rows = rows_of(report, ErrorRow)
    if not rows and not found and cursor is None:
        raise HTTPException(404, "No group of errors has this key.")
    figures = {
        "key": key,
        "group": found[0] if found else None,
        "trend": _trend(found[0].by_day) if found else None,
        "rows": rows,
        "days": days,
        "older": ERRORS.next_cursor(report, SHOWN),
        "first_page": cursor is None,
    }
    return shell.page(request, "error_group.html", figures)


def _trend(by_day: list[int]) -> list[float]:
    """Heights of bars from 0 to 1; a day on which something happened is never nothing."""
    greatest = max(by_day, default=0) or 1
    return [max(count / greatest, 0.08) if count else 0.0 for count in by_day]
