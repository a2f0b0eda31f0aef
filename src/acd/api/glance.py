"""What the command line shows of another machine's records, beside the routes that it shares with everybody."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from acd.api import examples, glance_examples
from acd.api.describing import NO_SESSION, Refusal, Shape, described
from acd.api.parameters import Days, Limit50, PathSessionId
from acd.api.refusals import known_session
from acd.core.glance_rows import Glance, RecentCommit, TargetSpending
from acd.core.one_session import SessionId, TimelineRow
from acd.core.text import WITHOUT_NUL
from acd.history.timeline import build_timeline
from acd.reports import glance, sessions
from acd.reports.glance import Ambiguous
from acd.web import answers
from acd.web.parts import GivenDatabase, GivenParts

router = APIRouter(prefix="/api/glance", tags=["state"])


@router.get(
    "",
    summary="Everything at a glance, as `acd status` shows it",
    responses=described(Glance, glance_examples.GLANCE),
)
async def show_glance(parts: GivenParts) -> Response:
    """Totals, what runs, every target, what a person should know, and what waits in files of the server's machine."""
    waiting = await parts.pending() if parts.pending else None
    pending = None if waiting is None else (waiting.folders, waiting.bytes)
    return answers.data(await glance.everything(parts.db, pending))


@router.get(
    "/session",
    summary="The session that a name means",
    responses=described(
        SessionId,
        SessionId(id=examples.SESSION_ID),
        refusals=[
            NO_SESSION,
            Refusal(409, "ambiguous", "several sessions begin with '0192': give more of its id"),
        ],
    ),
)
async def find_session(
    db: GivenDatabase,
    name: Annotated[
        str,
        Query(
            max_length=1024,
            pattern=WITHOUT_NUL,
            description="The beginning of its id, four characters or more, or TARGET#NUMBER.",
            examples=["shop-api#12"],
        ),
    ],
) -> Response:
    """Names are those that `acd session` takes."""
    try:
        found = await glance.session_meant(db, name)
    except Ambiguous as error:
        raise HTTPException(409, {"code": "ambiguous", "message": str(error)}) from error
    if found is None:
        raise HTTPException(404, f"No session is meant by {name!r}.")
    return answers.data(msgspec.json.encode(SessionId(id=found)))


@router.get(
    "/timeline/{id}",
    summary="The end of a session's timeline",
    responses=described(TimelineRow, examples.TIMELINE, Shape.ROWS, refusals=[NO_SESSION]),
)
async def show_end_of_timeline(
    parts: GivenParts, session_id: PathSessionId, limit: Limit50 = 50
) -> Response:
    """Its last events, oldest first; `/api/db/sessions/{id}/events` has all of them."""
    await build_timeline(parts.db, parts.settings.host_name, session_id)
    known_session(session_id, await sessions.events(parts.db, session_id, limit=1))
    return answers.data(await glance.timeline(parts.db, session_id, limit=limit))


@router.get(
    "/commits",
    summary="Commits of all targets, newest first",
    responses=described(RecentCommit, glance_examples.COMMIT, Shape.ROWS),
)
async def list_recent_commits(db: GivenDatabase, limit: Limit50 = 50) -> Response:
    """Each with its target."""
    return answers.data(await glance.commits(db, limit=limit))


@router.get(
    "/usage",
    summary="What each target used in the last days, the costliest first",
    responses=described(TargetSpending, glance_examples.SPENDING, Shape.ROWS),
)
async def show_usage_by_target(db: GivenDatabase, days: Days = 7) -> Response:
    """Cost leaves out requests without a known price."""
    return answers.data(await glance.usage_by_target(db, days=days))
