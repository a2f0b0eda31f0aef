"""`GET /api/events`: what happens, as server-sent events.

    retry: 1000
    id: WyJh…

    event: request
    id: WyJi…
    data: {"sessionId": …}

An id is an opaque cursor: a reader that comes back with it as `Last-Event-ID` gets what it has not seen, and nothing
twice. Silence is broken by an id without data, which no browser shows, so a reader of one quiet target stays up to date
too. At the end the reader is told `bye` and why.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Header, HTTPException, Query
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from acd.api.describing import NO_TARGET, Refusal
from acd.api.parameters import RepoId
from acd.core.errors import DatabaseAway
from acd.database.connection import Database
from acd.reports import stream
from acd.reports.stream import EVENT_NAMES, Position, Told
from acd.web.live import PAGE, Live
from acd.web.parts import GivenParts

router = APIRouter(prefix="/api", tags=["events"])

HEARTBEAT_S = 15.0
_AWAY_S = 1.0
_RETRY_MS = 1000
_MIME = "text/event-stream"
_HEADER = "Last-Event-ID"
_MOST_TXID, _MOST_SEQ = 2**64 - 1, 2**63 - 1
_OTHER_DATABASE = Refusal(
    410, "gone", f"{_HEADER} is of another database: begin again without it.", _HEADER
)
_BAD_ID = Refusal(400, "cursor", f"{_HEADER}: not one of this stream.", _HEADER)
_EXAMPLE = (
    'retry: 1000\nid: WyJhIl0\n\nevent: commit\nid: WyJiIl0\ndata: {"sessionId":"0192f0c4-0000-4000-8000-000000000000",'
    '"target":{"name":"Shop","repoId":"shop"},"kind":"commit_seen","at":"2026-11-24T08:00:00+00:00",'
    '"text":"0123456789 Add a cart"}\n\n'
)


# Of one event: readers of the document take a stream apart before they look at its schema.
_SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("event", "id", "data")},
    "required": ["event", "data"],
}


@router.get(
    "/events",
    summary="What happens, as it happens: server-sent events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": f"Events {', '.join(EVENT_NAMES)}; the last one is bye.",
            "content": {_MIME: {"schema": _SCHEMA, "example": _EXAMPLE}},
        },
        **{each.status: each.described() for each in (_BAD_ID, NO_TARGET, _OTHER_DATABASE)},
    },
)
async def follow_events(
    parts: GivenParts,
    repo_id: RepoId = None,
    until: Annotated[
        datetime | None, Query(description="When the stream ends; without a zone: UTC.")
    ] = None,
    last_event_id: Annotated[
        str | None,
        Header(alias=_HEADER, max_length=4096, description="Go on behind this event's id."),
    ] = None,
) -> Response:
    """It begins with now, or behind `Last-Event-ID`, and ends only when `until` comes or the server stops."""
    # What can be refused must be refused before the first byte goes out.
    target_id = await _target_id(parts.db, repo_id)
    identity, position = await parts.live.now()
    if last_event_id is not None:
        position = _position(last_event_id, identity)
    reader = _Reader(parts.live, identity, position, target_id, _with_zone(until))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return _EventStream(reader.events(), headers)


async def _target_id(db: Database, repo_id: str | None) -> UUID | None:
    if repo_id is None:
        return None
    found = await stream.target_id(db, repo_id)
    if found is None:
        raise HTTPException(404, f"No target has the id {repo_id!r}.")
    return found


def _with_zone(until: datetime | None) -> datetime | None:
    return until.replace(tzinfo=UTC) if until and until.tzinfo is None else until


class _EventStream(StreamingResponse):
    """Closes its reader at once when the client has gone, not when somebody collects the garbage."""

    def __init__(self, events: AsyncGenerator[str], headers: dict[str, str]) -> None:
        super().__init__(events, headers=headers, media_type=_MIME)
        self._events = events

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._events):
            await super().stream_response(send)


@dataclass
class _Reader:
    """One client: where it stands, and what it is to be told. Positions of another `identity` mean nothing here."""

    live: Live
    identity: str
    position: Position
    target_id: UUID | None
    until: datetime | None

    async def events(self) -> AsyncGenerator[str]:
        """The stream, until its end; while the database is away, a comment now and then."""
        yield f"retry: {_RETRY_MS}\n{self._id()}\n"
        while True:
            try:
                async with self.live.reading(), aclosing(self._follow()) as following:
                    async for part in following:
                        yield part
                return
            except DatabaseAway:
                yield ": the database is away\n\n"
            if reason := self._over():
                yield self._bye(reason)
                return
            await self._wait(self.live.next_news(), _AWAY_S)

    async def _follow(self) -> AsyncGenerator[str]:
        while self.live.identity == self.identity:
            news, over = self.live.next_news(), self._over()
            if over == "until":
                await self.live.refresh()  # everything that was committed before
            told, behind = await self.live.page(self.position, self.target_id)
            if told:
                yield "".join(map(self._event, told))
            self.position = behind
            if over == "stopped" or (over and len(told) < PAGE):
                yield self._bye(over)
                return
            if len(told) < PAGE and not await self._wait(news, HEARTBEAT_S):
                yield f"{self._id()}\n"
        yield self._bye("replaced")

    async def _wait(self, news: asyncio.Event, seconds: float) -> bool:
        """Wait for news or the end; False where so many seconds passed without."""
        left = (self.until - datetime.now(UTC)).total_seconds() if self.until else seconds
        try:
            async with asyncio.timeout(max(min(left, seconds), 0)):
                await news.wait()
        except TimeoutError:
            return left < seconds
        return True

    def _over(self) -> Literal["stopped", "until"] | None:
        if self.live.closed:
            return "stopped"
        return "until" if self.until and datetime.now(UTC) >= self.until else None

    def _event(self, told: Told) -> str:
        self.position = told.position
        if told.data is None:
            return ""
        return f"event: {told.name}\n{self._id()}data: {told.data}\n\n"

    def _bye(self, reason: str) -> str:
        return f'event: bye\n{self._id()}data: {{"reason":"{reason}"}}\n\n'

    def _id(self) -> str:
        packed = msgspec.json.encode(_Cursor(self.identity, *self.position))
        return f"id: {base64.urlsafe_b64encode(packed).rstrip(b'=').decode()}\n"


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What an id says."""

    identity: str
    txid: Annotated[int, msgspec.Meta(ge=0)]
    seq: Annotated[int, msgspec.Meta(ge=-1, le=_MOST_SEQ)]
    rank: Annotated[int, msgspec.Meta(ge=0, le=1)]
    key: str


def _position(given: str, identity: str) -> Position:
    """What an id says.

    Raises:
        HTTPException: 400, it is none of ours; 410, it is of another database.
    """
    try:
        packed = base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True)
        cursor = msgspec.json.decode(packed, type=_Cursor)
        if "\0" in cursor.key or cursor.txid > _MOST_TXID:
            raise ValueError("PostgreSQL cannot hold that")
    except (ValueError, msgspec.DecodeError) as error:
        raise _refused(_BAD_ID) from error
    if cursor.identity != identity:
        raise _refused(_OTHER_DATABASE)
    return Position(cursor.txid, cursor.seq, cursor.rank, cursor.key)


def _refused(refusal: Refusal) -> HTTPException:
    told = {"code": refusal.code, "message": refusal.message, "field": refusal.field}
    return HTTPException(refusal.status, told)
