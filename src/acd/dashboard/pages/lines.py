"""What an agent printed in a session: line by line from its file, from any place in it, searched where asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from acd.core.contract import SessionRow
from acd.dashboard import asking
from acd.dashboard.lately import lately
from acd.dashboard.shell import GivenShell
from acd.files.folder import SessionFolder
from acd.reports import sessions
from acd.reports.log_search import line_before, line_from, search_lines, size_of
from acd.reports.logs import SHOWN as WHOLE_LINE
from acd.reports.logs import read_lines
from acd.reports.rows import row_of
from acd.web.parts import GivenParts

SHOWN = 100
CHARACTERS = 1500
"""Of a line on a page with others; alone it is shown as far as the API shows it."""
router = APIRouter()


@router.get("/sessions/{session_id}/lines")
async def show_lines(
    request: Request, parts: GivenParts, shell: GivenShell, session_id: UUID
) -> Response:
    """A page of lines, or those that hold some words."""
    found = await sessions.one(lately(parts.db), session_id)
    if found is None:
        raise HTTPException(404, f"No session has the id {session_id}.")
    session = row_of(found, SessionRow)
    here = session.host in (None, parts.settings.host_name)
    stream = SessionFolder(parts.settings.sessions_dir / str(session_id)).stream
    figures: Mapping[str, Any] = {"size": None, "lines": []}
    if here:
        final = session.status != "running"
        figures = await asyncio.to_thread(_figures, stream, request.query_params, final)
    words = asking.word(request.query_params, "q")
    frame = {"s": session, "here_now": here, "q": words, "offset": None, "newest": False}
    return shell.page(request, "lines.html", {**frame, **figures})


def _figures(stream: Path, asked: QueryParams, final: bool) -> Mapping[str, Any]:
    size = size_of(stream)
    if size is None:
        return {"size": None, "lines": []}
    offset = asking.number(asked, "offset", otherwise=0)
    if asking.one_of(asked, "part", ("end",)):
        offset = line_before(stream, size, SHOWN)
    elif offset:
        offset = line_from(stream, min(offset, size))
    words = asking.word(asked, "q")
    if words is not None:
        return _searched(stream, offset, words, final)
    alone = asking.one_of(asked, "lines", ("1",)) is not None
    limit, shown = (1, WHOLE_LINE) if alone else (SHOWN, CHARACTERS)
    page = read_lines(stream, offset, limit=limit, final=final, shown=shown)
    if page is None:
        return {"size": None, "lines": []}
    return {
        "size": size,
        "lines": page.lines,
        "offset": offset,
        "alone": alone,
        "behind": page.next_offset if page.more else None,
        "before": line_before(stream, offset, 1 if alone else SHOWN) if offset else None,
        "newest": not page.more and not alone,
    }


def _searched(stream: Path, offset: int, words: str, final: bool) -> Mapping[str, Any]:
    found = search_lines(stream, offset, words, limit=SHOWN, shown=CHARACTERS, final=final)
    if found is None:
        return {"size": None, "lines": []}
    return {
        "size": found.size,
        "lines": found.lines,
        "offset": offset,
        "alone": False,
        "behind": found.next_offset,
        "before": None,
    }
