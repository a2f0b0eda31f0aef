"""The sessions: a list with its filters in the address, newest first, page by page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import get_args

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from acd.core.contract import SessionRow
from acd.core.models import SessionStatus, SessionType
from acd.dashboard import asking
from acd.dashboard.lately import GivenLately
from acd.dashboard.shell import Entry, GivenShell
from acd.database.connection import Database
from acd.reports import sessions, used
from acd.reports.rows import row_of, rows_of
from acd.web.paging import SESSIONS

ENTRY = Entry("Sessions", "/sessions", "s", "sessions")
SHOWN = 50
router = APIRouter()


@dataclass(frozen=True)
class Filters:
    """What is asked for; None leaves everything in. Days are whole ones, both included."""

    target: str | None
    status: str | None
    type: str | None
    model: str | None
    agent: str | None
    q: str | None
    first: date | None
    last: date | None

    def values(self) -> dict[str, object | None]:
        """As they stand in an address."""
        return {
            "target": self.target,
            "status": self.status,
            "type": self.type,
            "model": self.model,
            "agent": self.agent,
            "q": self.q,
            "from": self.first,
            "to": self.last,
        }

    @property
    def any(self) -> bool:
        """Whether something is left out."""
        return any(value is not None for value in self.values().values())


def filters_of(asked: QueryParams) -> Filters:
    """The filters of an address.

    Raises:
        HTTPException: 422, one of them is none.
    """
    return Filters(
        target=asking.word(asked, "target"),
        status=asking.one_of(asked, "status", get_args(SessionStatus)),
        type=asking.one_of(asked, "type", get_args(SessionType)),
        model=asking.word(asked, "model"),
        agent=asking.word(asked, "agent"),
        q=asking.word(asked, "q"),
        first=asking.day(asked, "from"),
        last=asking.day(asked, "to"),
    )


@router.get("/sessions")
async def show_sessions(request: Request, db: GivenLately, shell: GivenShell) -> Response:
    """The list."""
    asked = request.query_params
    filters, cursor = filters_of(asked), asking.word(asked, "cursor")
    report, choices, listed = await asyncio.gather(
        _read(db, filters, SESSIONS.place(cursor)),
        sessions.choices(db),
        used.priced_how(db, filters.target),
    )
    figures = {
        "filters": filters,
        "statuses": get_args(SessionStatus),
        "types": get_args(SessionType),
        "choices": row_of(choices, sessions.Choices),
        "at_list_price": listed,
        "rows": rows_of(report, SessionRow),
        "older": SESSIONS.next_cursor(report, SHOWN),
        "first_page": cursor is None,
    }
    return shell.page(request, "sessions.html", figures)


async def _read(db: Database, filters: Filters, after: tuple[str, ...]) -> bytes:
    return await sessions.recent(
        db,
        limit=SHOWN,
        after=after,
        repo_id=filters.target,
        model=filters.model,
        status=filters.status,
        session_type=filters.type,
        agent=filters.agent,
        q=filters.q,
        since=asking.begin_of(filters.first),
        until=asking.end_of(filters.last),
    )
