"""The timeline of an imported session, built from its files when it is first looked at, and anew when they have grown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path
from typing import Any
from uuid import UUID

from acd.agents.histories import load_history
from acd.agents.history import Entry, History, HistoryFile
from acd.core import events
from acd.core.errors import ConfigError, UnreadableLine
from acd.database.connection import Database
from acd.files.lines import Line, LineReader
from acd.files.there import is_there
from acd.ledger.reading import SourceLine
from acd.ledger.rows import EventRow, json_rows
from acd.ledger.timeline import Timeline

_AT_ONCE = 4 * 1024 * 1024
_ROWS = 5000
_WRITE_SECONDS = 60.0
_BEGINNING = datetime.min.replace(tzinfo=UTC)


async def build_timeline(database: Database, host: str, session_id: UUID) -> bool:
    """See that the timeline of an imported session tells what its files on this host hold; whether anything was done.

    Sessions that acd worked, and those whose files lie on other machines, are left as they are.

    Raises:
        DatabaseAway: nothing is changed, or all.
    """
    files = await database.fetch_all("history.files_to_tell", host=host, session_id=session_id)
    chosen = await asyncio.to_thread(_one_of_each, files)
    if not chosen:
        return False
    rows = await asyncio.to_thread(_rows_of, chosen)
    ids = {"target_id": files[0]["target_id"], "session_id": session_id}
    async with database.transaction(timeout=_WRITE_SECONDS) as tx:
        await tx.fetch_all("ledger.lock_targets", ids=[ids["target_id"]])
        await tx.execute("history.drop_events", **ids)
        for start in range(0, len(rows), _ROWS):
            part = json_rows(rows[start : start + _ROWS])
            await tx.execute("history.put_events", rows=part, **ids)
        told = [{"name": file["name"], "offset": file["read_offset"]} for file in files]
        await tx.execute("history.put_told", rows=json_rows(told), host=host, **ids)
        await tx.execute("rollups.session_counts", **ids)
    return True


def _one_of_each(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of copies the one that is there and was read furthest; none where a file is gone that the timeline tells of."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(files, key=lambda one: int(one["read_offset"])):
        if is_there(Path(file["name"])):
            found[Path(file["name"]).name] = file
    gone = {Path(file["name"]).name for file in files if file["told_offset"] is not None} - set(
        found
    )
    return [] if gone else list(found.values())


def _rows_of(files: list[dict[str, Any]]) -> list[EventRow]:
    """The rows of all files as one: in the order of each file, and between files in that of their times."""
    told = [list(_rows_of_file(file)) for file in files]
    told.append(list(_rows_of_stores(files)))
    rows = [row for _, row in merge(*told, key=lambda pair: pair[0])]
    for number, row in enumerate(rows):
        row.seq = number
    return rows


def _rows_of_file(known: dict[str, Any]) -> Iterator[tuple[datetime, EventRow]]:
    """Rows of a file of lines; of a store none."""
    try:
        history = load_history(known["agent"])
    except ConfigError:
        return  # its reader is not installed here
    file = _file_of(history, Path(known["name"]))
    if file is None or file.form != "lines":
        return
    timeline = Timeline()
    clock = _BEGINNING
    for offset, found in _events_of(history, file, known["read_offset"]):
        for index, event in enumerate(found):
            clock = event.at or clock
            if _is_told(event, first=not timeline.rows):
                line = SourceLine(file.name, "stream", Line(offset, 0, None), 0)
                timeline.add_event(line, index, event, clock)
    yield from _timed(timeline.rows)


def _rows_of_stores(files: list[dict[str, Any]]) -> Iterator[tuple[datetime, EventRow]]:
    """Rows of a session's entries by their times, each once: OpenCode keeps a message in a document and in its database."""
    told: dict[tuple[str, datetime], list[events.Event]] = {}
    for known in files:
        for entry in _entries_of(known):
            at = next((event.at for event in entry.events if event.at), _BEGINNING)
            told.setdefault((entry.key, at), entry.events)
    timeline = Timeline()
    for number, ((_, at), found) in enumerate(sorted(told.items(), key=lambda each: each[0][1])):
        line = SourceLine("store", "stream", Line(number, 0, None), 0)
        for index, event in enumerate(found):
            if _is_told(event, first=not timeline.rows):
                timeline.add_event(line, index, event, at)
    yield from _timed(timeline.rows)


def _entries_of(known: dict[str, Any]) -> Iterator[Entry]:
    session, path = known["agent_session_id"], Path(known["name"])
    try:
        history = load_history(known["agent"])
        file = _file_of(history, path)
        if file is not None and file.form == "store":
            for entry in history.entries(file, "", told=True, only=session):
                if entry.agent_session_id == session:
                    yield entry
    except ConfigError:
        return  # its reader is not installed here
    except UnreadableLine:
        return  # a store that was damaged since


def _timed(rows: Iterable[EventRow]) -> Iterator[tuple[datetime, EventRow]]:
    """Rows with the time by which they are merged: never earlier than that of the row before."""
    latest = _BEGINNING
    for row in rows:
        latest = max(latest, row.occurred_at or latest)
        if row.occurred_at == _BEGINNING:
            row.occurred_at = None
        yield latest, row


def _events_of(
    history: History, file: HistoryFile, until: int
) -> Iterator[tuple[int, list[events.Event]]]:
    reader = history.reader(file, told=True)
    lines = LineReader(file.path)
    while lines.offset < until:
        try:
            some = lines.read(_AT_ONCE, final=True)
        except OSError:
            return  # not ours to read any more: what was read so far is shown
        if not some:
            return
        for line in some:
            if line.offset >= until or line.data is None or not line.data.strip():
                continue
            try:
                yield line.offset, reader.read(line.data)
            except UnreadableLine:
                continue  # counted when it was imported


def _file_of(history: History, path: Path) -> HistoryFile | None:
    return next(iter(history.files(path)), None) if is_there(path) else None


def _is_told(event: events.Event, *, first: bool) -> bool:
    """The ledger rows tell of requests; where the agent was is told once; running totals are no event."""
    if isinstance(event, events.AgentStarted):
        return first
    if isinstance(event, events.Reported):
        return event.final
    return not isinstance(event, events.RequestSeen | events.Unrecognised)
