"""Pages of a list: an opaque cursor says behind which row the next one begins.

A cursor holds that row's place: the list's sort key and, because several rows may share it, the row's id. Places never
change and every list has a total order, so a row that was committed before the first page was read comes exactly once,
whatever is written meanwhile, and a later one at most once: rows that come in between shift nothing. Filters belong to
the reader: a cursor is good with any.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import HTTPException, Query
from starlette.responses import Response

from acd.web.answers import JSON

_LONGEST = 2048
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d(:\d\d)?)", re.ASCII)
_START = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")

Cursor = Annotated[
    str | None,
    Query(
        alias="cursor",
        max_length=_LONGEST,
        pattern="^[A-Za-z0-9_-]+$",
        description="`nextCursor` of the page before; without it, the first page. Only for the same list.",
    ),
]

Place = tuple[str, ...]
"""Sort key and id of a row, as PostgreSQL writes them."""


@dataclass(frozen=True)
class Paged:
    """A list that comes in pages. `columns` name its place in a row; `start` is the place before all rows."""

    name: str
    columns: tuple[str, ...]
    checks: tuple[Callable[[str], object], ...]
    start: Place

    def place(self, cursor: str | None) -> Place:
        """What a cursor says.

        Raises:
            HTTPException: 400, the cursor is none of this list.
        """
        if cursor is None:
            return self.start
        try:
            name, *place = msgspec.json.decode(_unpacked(cursor), type=list[str])
            if name != self.name or len(place) != len(self.checks):
                raise ValueError("of another list")
            for check, part in zip(self.checks, place, strict=True):
                check(part)
        except (ValueError, msgspec.DecodeError) as error:
            raise bad_cursor() from error
        return tuple(place)

    def page(self, report: bytes, limit: int) -> Response:
        """A report that is an array, with the cursor of its last row where the page is full."""
        return page(report, self.next_cursor(report, limit))

    def next_cursor(self, report: bytes, limit: int) -> str | None:
        """The cursor of a report's last row where the page is full; None where there is no next page."""
        rows = msgspec.json.decode(report, type=list[msgspec.Raw])
        if len(rows) < limit:
            return None
        return self.cursor_of(msgspec.json.decode(rows[-1]))

    def cursor_of(self, row: Mapping[str, object]) -> str:
        """The cursor of a row, as it stands in the JSON."""
        return self.cursor(tuple(str(row[column]) for column in self.columns))

    def after(self, example: msgspec.Struct) -> str:
        """The cursor of an example of the documentation."""
        return self.cursor_of(msgspec.to_builtins(example))

    def cursor(self, place: Place) -> str:
        """The cursor of a place."""
        packed = json.dumps([self.name, *place], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).rstrip(b"=").decode()


def page(report: bytes, next_cursor: str | None) -> Response:
    """The answer of a page; the report's bytes are untouched. A cursor is base64url: it needs no escaping."""
    told = b'"' + next_cursor.encode() + b'"' if next_cursor else b"null"
    return Response(
        b'{"data":' + report + b',"nextCursor":' + told + b"}",
        media_type=JSON,
    )


def bad_cursor() -> HTTPException:
    """Refuse a cursor that is none of ours, or of another list."""
    told = {
        "code": "cursor",
        "field": "cursor",
        "message": "cursor: not one of this list; begin again without it.",
    }
    return HTTPException(400, told)


def _unpacked(cursor: str) -> bytes:
    """The bytes of a cursor, which has one way of being written.

    Raises:
        ValueError: it is written in another way.
    """
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64.urlsafe_b64encode(packed).rstrip(b"=").decode() != cursor:
        raise ValueError("not as we write it")
    return packed


def _text(value: str) -> None:
    if "\0" in value:
        raise ValueError("PostgreSQL takes no NUL")


def _number(value: str) -> None:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise ValueError("not a place in a file or timeline")


def _time(value: str) -> None:
    if not _TIME.fullmatch(value):
        raise ValueError("not as PostgreSQL writes times")
    datetime.fromisoformat(value)


def _uuid(value: str) -> None:
    if str(UUID(value)) != value:
        raise ValueError("not as PostgreSQL writes UUIDs")


SESSIONS = Paged("sessions", ("startedAt", "id"), (_time, _uuid), _START)
ERRORS = Paged("errors", ("occurredAt", "id"), (_time, _uuid), _START)
REQUESTS = Paged("requests", ("listedAt", "requestKey"), (_time, _text), ("infinity", ""))
COMMITS = Paged("commits", ("committedAt", "sha"), (_time, _text), ("infinity", ""))
EVENTS = Paged("events", ("seq",), (_number,), ("-1",))
LINES = Paged("lines", ("offset",), (_number,), ("0",))
