"""Sessions and their ledger rows."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import Response

from acd.api.parameters import Limit50, Limit100, Model, RepoId, SessionId, Since, Until
from acd.core.models import SessionStatus, SessionType
from acd.reports import sessions, usage
from acd.web import answers
from acd.web.parts import GivenDatabase

router = APIRouter(prefix="/api/db")


@router.get("/sessions")
async def list_sessions(
    db: GivenDatabase,
    limit: Limit50 = 50,
    repo_id: RepoId = None,
    model: Model = None,
    status: Annotated[SessionStatus | None, Query()] = None,
    session_type: Annotated[SessionType | None, Query(alias="type")] = None,
    since: Since = None,
    until: Until = None,
) -> Response:
    """Sessions, newest first."""
    report = await sessions.recent(
        db,
        limit=limit,
        repo_id=repo_id,
        model=model,
        status=status,
        session_type=session_type,
        since=since,
        until=until,
    )
    return answers.data(report)


@router.get("/sessions/{id}")
async def show_session(
    db: GivenDatabase, session_id: Annotated[UUID, Path(alias="id")]
) -> Response:
    """One session with its requests by model, errors, commits and the changes of features in it."""
    report = await sessions.one(db, session_id)
    if report is None:
        raise HTTPException(404, f"No session has the id {session_id}.")
    return answers.data(report)


@router.get("/token-usage")
async def list_requests(
    db: GivenDatabase,
    limit: Limit100 = 100,
    session_id: SessionId = None,
    repo_id: RepoId = None,
    model: Model = None,
) -> Response:
    """Ledger rows, one a request of a model, newest first."""
    report = await usage.recent(
        db, limit=limit, session_id=session_id, repo_id=repo_id, model=model
    )
    return answers.data(report)
