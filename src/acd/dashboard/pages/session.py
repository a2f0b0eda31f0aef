"""One session: what came of it, why it ended, and its timeline with what each request cost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from acd.core.one_session import TimelineRow, WholeSession
from acd.core.timeline_rows import CurvePoint, TimelinePage
from acd.dashboard import asking
from acd.dashboard.addresses import query, session_page
from acd.dashboard.curve import curve
from acd.dashboard.lately import lately
from acd.dashboard.shell import GivenShell
from acd.dashboard.steps import KINDS, branches
from acd.dashboard.told import gap_in_words, why_it_ended
from acd.database.connection import Database
from acd.history.timeline import build_timeline
from acd.reports import sessions, timeline
from acd.reports.rows import row_of, rows_of
from acd.web.parts import GivenParts

SHOWN = 100
SHOWN_LIVE = 40
MOST_ROWS = 200
"""Errors, commits and features on the page; the API has all of them."""
_LAST = 2**62
_JUST_NOW = timedelta(minutes=10)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)
router = APIRouter()


@router.get("/sessions/{session_id}")
async def show_session(
    request: Request, parts: GivenParts, shell: GivenShell, session_id: UUID
) -> Response:
    """The page, from the beginning of the timeline or from a place in it; of a session that runs, its latest part."""
    await build_timeline(parts.db, parts.settings.host_name, session_id)
    db = lately(parts.db)
    found = await sessions.one(db, session_id)
    if found is None:
        raise HTTPException(404, f"No session has the id {session_id}.")
    session = row_of(found, WholeSession)
    asked = request.query_params
    if (at := asking.word(asked, "at")) is not None:
        return await _at(db, session, at)
    part = asking.one_of(asked, "show", tuple(KINDS))
    after = asked.get("after", "").strip() or None
    ending, used, shown = await asyncio.gather(
        timeline.ending(db, session_id),
        timeline.curve(db, session_id),
        _timeline(db, session, part, after, asked),
    )
    figures = {
        "s": session,
        "why": why_it_ended(session, rows_of(ending, TimelineRow)),
        "at_list_price": "all" if session.billing == "subscription" else "none",
        "gap": gap_in_words(session),
        "curve": curve(rows_of(used, CurvePoint), session.started_at),
        "parts": tuple(KINDS),
        "part": part,
        "most_rows": MOST_ROWS,
        **shown,
    }
    return shell.page(request, "session.html", figures)


async def _timeline(
    db: Database,
    session: WholeSession,
    part: str | None,
    after: str | None,
    asked: QueryParams,
) -> Mapping[str, Any]:
    kinds = KINDS[part] if part else None
    following = after is None and _is_latest(session)
    limit = SHOWN_LIVE if following else SHOWN
    if following:
        place = await timeline.place_before(db, session.id, _LAST, limit=limit, kinds=kinds)
    else:
        place = asking.number(asked, "after", least=-1, otherwise=-1)
    report = await timeline.page(db, session.id, after_seq=place, limit=limit, kinds=kinds)
    if report is None:
        raise HTTPException(404, f"No session has the id {session.id}.")
    page = row_of(report, TimelinePage)
    before = None
    if place >= 0:
        before = await timeline.place_before(db, session.id, place, limit=SHOWN, kinds=kinds)
    return {
        "branches": branches(page),
        "following": following,
        "at_begin": place < 0,
        "before": before,
        "behind": page.events[-1].seq if page.more and page.events else None,
    }


def _is_latest(session: WholeSession) -> bool:
    """Whether people look at its end: it runs, or has ended just now under their eyes."""
    ended = session.finished_at
    return session.status == "running" or (
        ended is not None and datetime.now(UTC) - ended < _JUST_NOW
    )


async def _at(db: Database, session: WholeSession, written: str) -> Response:
    """To the part of the timeline in which a moment lies, at the first event then or later."""
    moment = moment_in(session, written)
    place = await timeline.place_at(db, session.id, moment)
    address = session_page(session.id)
    if place is None or place.event is None:
        return RedirectResponse(address, 303)
    return RedirectResponse(f"{query(address, {'after': place.after})}#e{place.event}", 303)


def moment_in(session: WholeSession, written: str) -> datetime:
    """What `at` means: a whole time, or one of day, `03:12`, which is the first such time from the session's start on.

    A time without a zone is in UTC, as the page tells times where it cannot know the viewer's zone.

    Raises:
        HTTPException: 422, it is no time.
    """
    start = session.started_at.astimezone(UTC)
    try:
        if clock := _CLOCK.fullmatch(written):
            hour, minute, second = (int(part or 0) for part in clock.groups())
            found = start.replace(hour=hour, minute=minute, second=second, microsecond=0)
            begun = start.replace(second=0, microsecond=0)
            return found if found >= begun else found + timedelta(days=1)
        found = datetime.fromisoformat(written)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        told = f"at: {written!r} is no time; write it like 03:12 or 2026-11-24T03:12:00Z."
        raise HTTPException(422, told) from error
