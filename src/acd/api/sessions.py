"""Sessions, their timelines and their ledger rows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from acd.api import examples
from acd.api.describing import BAD_CURSOR, NO_SESSION, Shape, described
from acd.api.parameters import (
    Agent,
    Limit50,
    Limit100,
    Model,
    PathSessionId,
    RepoId,
    SessionId,
    SessionWords,
    Since,
    Until,
)
from acd.api.refusals import known_session
from acd.core.contract import RequestRow, SessionRow
from acd.core.models import SessionStatus, SessionType
from acd.core.one_session import TimelineRow, WholeSession
from acd.history.timeline import build_timeline
from acd.reports import sessions, usage
from acd.web import answers
from acd.web.paging import EVENTS, REQUESTS, SESSIONS, Cursor
from acd.web.parts import GivenDatabase, GivenParts

router = APIRouter(prefix="/api/db", tags=["sessions"])


@router.get(
    "/sessions",
    summary="Sessions, newest first",
    responses=described(
        SessionRow,
        examples.SESSION,
        Shape.PAGE,
        next_cursor=SESSIONS.after(examples.SESSION),
        refusals=[BAD_CURSOR],
    ),
)
async def list_sessions(
    db: GivenDatabase,
    limit: Limit50 = 50,
    cursor: Cursor = None,
    repo_id: RepoId = None,
    model: Model = None,
    status: Annotated[SessionStatus | None, Query()] = None,
    session_type: Annotated[SessionType | None, Query(alias="type")] = None,
    agent: Agent = None,
    q: SessionWords = None,
    since: Since = None,
    until: Until = None,
) -> Response:
    """All fields of each; totals of a session that runs are those of what was recorded so far."""
    report = await sessions.recent(
        db,
        limit=limit,
        after=SESSIONS.place(cursor),
        repo_id=repo_id,
        model=model,
        status=status,
        session_type=session_type,
        agent=agent,
        q=q,
        since=since,
        until=until,
    )
    return SESSIONS.page(report, limit)


@router.get(
    "/sessions/{id}",
    summary="One session with all that belongs to it",
    responses=described(WholeSession, examples.WHOLE_SESSION, refusals=[NO_SESSION]),
)
async def show_session(db: GivenDatabase, session_id: PathSessionId) -> Response:
    """Its requests by model, errors, commits and the changes of features in it; the gap to what the agent reports."""
    return answers.data(known_session(session_id, await sessions.one(db, session_id)))


@router.get(
    "/sessions/{id}/events",
    summary="The timeline of a session, oldest first",
    responses=described(
        TimelineRow,
        examples.TIMELINE,
        Shape.PAGE,
        next_cursor=EVENTS.after(examples.TIMELINE),
        refusals=[BAD_CURSOR, NO_SESSION],
    ),
)
async def list_session_events(
    parts: GivenParts, session_id: PathSessionId, limit: Limit50 = 50, cursor: Cursor = None
) -> Response:
    """What the agent did, event by event. That of an imported session is built when it is first asked for."""
    (after,) = EVENTS.place(cursor)
    await build_timeline(parts.db, parts.settings.host_name, session_id)
    report = await sessions.events(parts.db, session_id, limit=limit, after_seq=int(after))
    return EVENTS.page(known_session(session_id, report), limit)


@router.get(
    "/token-usage",
    summary="Ledger rows, newest first",
    responses=described(
        RequestRow,
        examples.REQUEST,
        Shape.PAGE,
        next_cursor=REQUESTS.after(examples.REQUEST),
        refusals=[BAD_CURSOR],
    ),
)
async def list_requests(
    db: GivenDatabase,
    limit: Limit100 = 100,
    cursor: Cursor = None,
    session_id: SessionId = None,
    repo_id: RepoId = None,
    model: Model = None,
) -> Response:
    """One row a request of a model, and one for what an agent reports beyond its requests (`isRequest` false)."""
    report = await usage.recent(
        db,
        limit=limit,
        after=REQUESTS.place(cursor),
        session_id=session_id,
        repo_id=repo_id,
        model=model,
    )
    return REQUESTS.page(report, limit)
