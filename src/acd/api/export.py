"""`GET /api/export/…`: rows as a file, streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from acd.api.describing import Described, Refusal
from acd.api.parameters import RepoId, Since, Until
from acd.reports import export
from acd.reports.export import Format, Kind
from acd.web.parts import GivenDatabase

MOST_AT_ONCE = 4
"""Exports at a time: each holds a connection to the database and a snapshot for as long as its reader takes."""
RETRY_AFTER_S = 30
_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_TEXT = {"type": "string"}
_RESPONSES: Described = {
    200: {
        "description": "The file.",
        "content": {
            "text/csv": {"schema": _TEXT, "example": "sha,repoId,additions\nc0ffee,shop-api,12\n"},
            "application/x-ndjson": {
                "schema": _TEXT,
                "example": '{"sha":"c0ffee","repoId":"shop-api","additions":12}\n',
            },
            "application/vnd.apache.parquet": {
                "schema": {"type": "string", "format": "binary"},
                "example": "PAR1…",
            },
        },
    },
    501: Refusal(501, "not_implemented", export.NEEDS_PYARROW).described(),
}


def build_router() -> APIRouter:
    """The route, with its places for exports under way."""
    router = APIRouter(prefix="/api")
    places = asyncio.Semaphore(MOST_AT_ONCE)

    @router.get(
        "/export/{kind}",
        summary="Rows as a file, oldest first",
        tags=["export"],
        response_class=StreamingResponse,
        responses=_RESPONSES,
    )
    async def export_rows(
        db: GivenDatabase,
        kind: Annotated[Kind, Path(description="What to export.")],
        form: Annotated[Format, Query(alias="format", description="The form of the file.")] = "csv",
        since: Since = None,
        until: Until = None,
        repo_id: RepoId = None,
    ) -> Response:
        """CSV with a heading, JSON Lines, or Parquet, which is an extra. `since` and `until`: when it happened.

        An export that cannot be finished ends without the end that HTTP wants, so that no client takes it for whole.
        """
        if form == "parquet" and not export.can_write_parquet():
            raise HTTPException(501, export.NEEDS_PYARROW)
        if places.locked():
            raise HTTPException(
                503,
                f"{MOST_AT_ONCE} exports are under way already.",
                {"Retry-After": str(RETRY_AFTER_S)},
            )
        parts = export.rows(db, kind, form, since=since, until=until, repo_id=repo_id)
        body = _placed(places, parts)
        first = await anext(body)  # what fails at once is answered as an error
        return _Streamed(
            _resumed(first, body),
            media_type=_MEDIA_TYPES[form],
            headers=_headers(kind, form),
        )

    return router


def _headers(kind: Kind, form: Format) -> dict[str, str]:
    headers = {"Content-Disposition": f'attachment; filename="acd-{kind}.{form}"'}
    # Parquet is compressed within; saying so keeps the middleware from doing it once more.
    return headers | ({"Content-Encoding": "identity"} if form == "parquet" else {})


class _Streamed(StreamingResponse):
    """An answer whose source is closed also when the reader goes away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if isinstance(self.body_iterator, AsyncGenerator):
                await self.body_iterator.aclose()


async def _placed(places: asyncio.Semaphore, parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The parts, or one that is empty, while a place is held."""
    async with places:
        try:
            yield await anext(parts, b"")
            async for part in parts:
                yield part
        finally:
            await parts.aclose()


async def _resumed(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        yield first
        async for part in rest:
            yield part
    finally:
        await rest.aclose()
