"""Where each counted token stands: the requests of a session (or of a day) with file and byte offset of every line that tells them.

Nothing of that is kept with the ledger: the files are read again, as far as they were recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from acd.agents.histories import load_history
from acd.agents.history import Entry, History, HistoryFile
from acd.agents.registry import load_adapter
from acd.core.errors import ConfigError, UnreadableLine
from acd.core.events import Event, RequestSeen
from acd.core.models import Usage
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.lines import LineReader
from acd.files.there import is_there
from acd.history.reading import place_of_key

_AT_ONCE = 4 * 1024 * 1024


class Place(msgspec.Struct, frozen=True, rename="camel"):
    """A line that tells of a request. `counted`: its figures are the ledger's; others say less, or the same again.

    `entry`: what names it in a store, where it has no offset of its own.
    """

    file: str
    offset: int
    usage: Usage
    counted: bool = False
    entry: str | None = None


class Audited(msgspec.Struct, rename="camel"):
    """One ledger row and the lines behind it; none where its files are gone, on another machine, or it is no request."""

    request_key: str
    session_id: UUID
    requested_at: datetime
    model: str
    usage: Usage
    cost_usd: Decimal | None
    price_source: str | None
    is_request: bool
    places: list[Place] = []


class LeftOut(msgspec.Struct, frozen=True, rename="camel"):
    """A line that is in no figure, and why."""

    file: str
    offset: int
    length: int
    reason: str
    host: str


class FileRead(msgspec.Struct, frozen=True, rename="camel"):
    """How far a file was read: `lines_read` counts those that were left out, too. Of a store the session's entries."""

    file: str
    host: str
    read_offset: int
    lines_read: int
    lines_left_out: int


class Audit(msgspec.Struct, rename="camel"):
    """A total, down to the bytes. `total` and `cost_usd` are the sums of `requests`."""

    total: Usage
    cost_usd: Decimal
    unpriced: int
    requests: list[Audited]
    left_out: list[LeftOut]
    files: list[FileRead]


async def audit(
    database: Database,
    settings: Settings,
    *,
    session_id: UUID | None = None,
    day: date | None = None,
) -> Audit:
    """Explain what a session used, or what was used on a day (of the database's time zone).

    Raises:
        DatabaseAway: nothing can be told.
    """
    asked = {"session_id": session_id, "day": day}
    rows = await database.fetch_all("history.audited_requests", **asked)
    files = await database.fetch_all("history.audited_files", **asked)
    left_out = await database.fetch_all("history.audited_left_out", **asked)
    requests = {row["request_key"]: _audited(row) for row in rows}
    here = [file for file in files if file["host"] == settings.host_name]
    await asyncio.to_thread(_find, requests, here, settings)
    for one in requests.values():
        one.places = _counted(one)
    costs = [one.cost_usd for one in requests.values()]
    return Audit(
        total=_sum(one.usage for one in requests.values()),
        cost_usd=sum((cost for cost in costs if cost is not None), Decimal(0)),
        unpriced=costs.count(None),
        requests=list(requests.values()),
        left_out=[LeftOut(**row) for row in left_out],
        files=[
            FileRead(
                file["file"],
                file["host"],
                file["read_offset"],
                file["lines_read"],
                file["lines_left_out"],
            )
            for file in files
        ],
    )


def _audited(row: dict[str, Any]) -> Audited:
    usage = Usage(**{name: row.pop(name) for name in Usage.__struct_fields__})
    return Audited(usage=usage, **row)


def _find(
    requests: dict[str, Audited], files: Iterable[dict[str, Any]], settings: Settings
) -> None:
    """Put to each request the lines that tell of it."""
    for file in files:
        for place, event in _requests_in(file, settings):
            one = requests.get(event.request_key)
            if one is not None:
                one.places.append(place)


def _requests_in(file: dict[str, Any], settings: Settings) -> Iterator[tuple[Place, RequestSeen]]:
    path = _path_of(file, settings)
    if not is_there(path):
        return
    try:
        history = load_history(file["agent"]) if file["imported"] else None
        found = None if history is None else next(iter(history.files(path)), None)
        if history is not None and found is not None and found.form == "store":
            entries = history.entries(found, "", told=False, only=file["agent_session_id"])
            yield from _requests_among(file, entries)
            return
        read = _reader_of(file, path, history, found)
    except ConfigError:
        return  # its reader is not installed here
    except UnreadableLine:
        return  # a store that was damaged since
    if read is not None:
        yield from _requests_in_lines(file, path, read)


def _requests_among(
    file: dict[str, Any], entries: Iterable[Entry]
) -> Iterator[tuple[Place, RequestSeen]]:
    for entry in entries:
        offset = place_of_key(entry.key)
        for event in entry.events:
            if isinstance(event, RequestSeen):
                yield Place(file["file"], offset, event.usage, entry=entry.key), event


def _requests_in_lines(
    file: dict[str, Any], path: Path, read: Callable[[bytes], list[Event]]
) -> Iterator[tuple[Place, RequestSeen]]:
    lines = LineReader(path)
    while lines.offset < file["read_offset"] and (some := lines.read(_AT_ONCE, final=True)):
        for line in some:
            if line.data is None or not line.data.strip():
                continue
            try:
                found = read(line.data)
            except UnreadableLine:
                continue  # it stands among those left out
            for event in found:
                if isinstance(event, RequestSeen):
                    yield Place(file["file"], line.offset, event.usage), event


def _path_of(file: dict[str, Any], settings: Settings) -> Path:
    if file["imported"]:
        return Path(file["file"])
    return Path(settings.sessions_dir, str(file["session_id"]), file["file"])


def _reader_of(
    file: dict[str, Any], path: Path, history: History | None, found: HistoryFile | None
) -> Callable[[bytes], list[Event]] | None:
    if history is not None:
        return None if found is None else history.reader(found, told=False).read
    adapter = load_adapter(file["agent"])
    if path.name == "stream.jsonl":
        return adapter.read_stream
    return adapter.read_transcript if path.parent.name == "transcripts" else None


def _counted(one: Audited) -> list[Place]:
    """The places, with the first whose figures are those of the row marked."""
    first = next((n for n, place in enumerate(one.places) if place.usage == one.usage), None)
    return [
        msgspec.structs.replace(place, counted=number == first)
        for number, place in enumerate(one.places)
    ]


def _sum(usages: Iterable[Usage]) -> Usage:
    sums = dict.fromkeys(Usage.__struct_fields__, 0)
    for usage in usages:
        for name in sums:
            sums[name] += getattr(usage, name)
    return Usage(**sums)
