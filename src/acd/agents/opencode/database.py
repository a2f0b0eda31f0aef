"""OpenCode's SQLite database → its messages, from those changed last. It is only ever read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from acd.agents.history import Entry
from acd.agents.opencode.message import Place, message_events
from acd.core.errors import UnreadableLine

_PATIENCE_S = 5.0
_DEEPEST = 20

_SESSIONS = "select id, parent_id, directory, version, time_created from session"
_MESSAGES = """
    select id, session_id, time_updated, data from message
    where time_updated >= ? order by time_updated, id
"""
_OF_SESSIONS = """
    select id, session_id, time_updated, data from message
    where time_updated >= ? and session_id in (select value from json_each(?)) order by time_updated, id
"""
_COUNTS = "select session_id, count(*) from message group by session_id"
_PARTS = "select data from part where message_id = ? order by id"


def database_entries(
    path: Path, after: str, *, told: bool, only: str | None = None
) -> Iterator[Entry]:
    """An entry for every message that was changed since `after` (milliseconds since 1970; "" for all).

    `only`: of this session and its subagents'.

    Raises:
        UnreadableLine: the database cannot be read.
    """
    since = int(after) if after.isdigit() else 0
    try:
        with closing(_opened(path)) as database:
            places = _places(database)
            counts = _counts(database, places)
            for row in _messages(database, places, since, only):
                yield _entry(database, places, counts, row, told=told)
    except sqlite3.Error as error:
        raise UnreadableLine(f"cannot be read as SQLite: {error}"[:200]) from None


def _opened(path: Path) -> sqlite3.Connection:
    """Read-only. Without a write-ahead log beside it nobody writes, and nothing needs to be put there to read."""
    log = path.with_name(f"{path.name}-wal")
    how = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=_PATIENCE_S)
    connection.text_factory = bytes
    return connection


def _places(database: sqlite3.Connection) -> dict[str, Place]:
    rows = {_text(row[0]): row for row in database.execute(_SESSIONS)}
    parents = {name: _text(row[1]) for name, row in rows.items()}
    places = {}
    for name, (_, parent, directory, version, created) in rows.items():
        places[name] = Place(
            root=_root(name, parents),
            subagent=parent is not None,
            directory=_text(directory) or None,
            version=_text(version) or None,
            created=created,
        )
    return places


def _counts(database: sqlite3.Connection, places: dict[str, Place]) -> dict[str, int]:
    """How many messages there are of each session that a person began."""
    counts: dict[str, int] = {}
    for name, count in database.execute(_COUNTS):
        root = _place_of(places, _text(name)).root
        counts[root] = counts.get(root, 0) + count
    return counts


def _messages(
    database: sqlite3.Connection, places: dict[str, Place], since: int, only: str | None
) -> sqlite3.Cursor:
    if only is None:
        return database.execute(_MESSAGES, (since,))
    names = [name for name, place in places.items() if place.root == only] or [only]
    return database.execute(_OF_SESSIONS, (since, json.dumps(names)))


def _place_of(places: dict[str, Place], session: str) -> Place:
    return places.get(session) or Place(root=session)


def _root(name: str, parents: dict[str, str]) -> str:
    for _ in range(_DEEPEST):
        above = parents.get(name)
        if not above:
            break
        name = above
    return name


def _entry(
    database: sqlite3.Connection,
    places: dict[str, Place],
    counts: dict[str, int],
    row: tuple[bytes, bytes, int, bytes],
    *,
    told: bool,
) -> Entry:
    name, session, updated, data = _text(row[0]), _text(row[1]), row[2], row[3]
    place = _place_of(places, session)
    mark, held = str(updated), counts.get(place.root, 0)
    parts = [part[0] for part in database.execute(_PARTS, (row[0].decode(errors="replace"),))]
    try:
        events = message_events(place, name, data, parts, told=told)
    except UnreadableLine as error:
        return Entry(name, place.root, [], left_out=str(error), mark=mark, of_session=held)
    return Entry(name, place.root, events, mark=mark, of_session=held)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""
