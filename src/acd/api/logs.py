"""What an agent printed, from the session's file, where this machine has it."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, HTTPException, Path
from starlette.responses import Response

from acd.api import examples
from acd.api.describing import BAD_CURSOR, Refusal, Shape, described
from acd.api.parameters import Limit50
from acd.api.refusals import elsewhere
from acd.core.one_session import LogLine
from acd.files.folder import SessionFolder
from acd.reports import sessions
from acd.reports.logs import NoSuchPlace, read_lines
from acd.web.paging import LINES, Cursor, bad_cursor, page
from acd.web.parts import GivenParts

router = APIRouter(prefix="/api/db", tags=["sessions"])

_REFUSALS = (
    BAD_CURSOR,
    Refusal(404, "not_found", "No session has this id, or its lines are kept no more."),
    Refusal(
        409,
        "elsewhere",
        "The session's lines are on the machine builder: ask the server there.",
        extra={"host": "builder"},
    ),
)


@router.get(
    "/logs/{sessionId}",
    summary="What the agent printed, oldest first",
    responses=described(
        LogLine,
        examples.LINE,
        Shape.PAGE,
        next_cursor=LINES.after(examples.LINE),
        refusals=_REFUSALS,
    ),
)
async def list_log_lines(
    parts: GivenParts,
    session_id: Annotated[UUID, Path(alias="sessionId")],
    limit: Limit50 = 50,
    cursor: Cursor = None,
) -> Response:
    """Secrets are redacted, control characters escaped. While the session runs there is always a next page."""
    (offset,) = LINES.place(cursor)
    found = await sessions.whereabouts(parts.db, session_id)
    if found is None:
        raise HTTPException(404, f"No session has the id {session_id}.")
    host, running = found
    if host not in (None, parts.settings.host_name):
        raise elsewhere("The session's lines are", str(host))
    stream = SessionFolder(parts.settings.sessions_dir / str(session_id)).stream
    try:
        lines = await asyncio.to_thread(
            read_lines, stream, int(offset), limit=limit, final=not running
        )
    except NoSuchPlace as error:
        raise bad_cursor() from error
    if lines is None:
        raise HTTPException(404, f"The lines of session {session_id} are not kept on this machine.")
    following = LINES.cursor((str(lines.next_offset),)) if lines.more or running else None
    return page(msgspec.json.encode(lines.lines), following)
