"""OpenCode's SQLite database → its messages, from those changed last. It is only ever read."""

from __future__ import annotations

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
_PARTS = "select data from part where message_id = ? order by id"


def database_entries(path: Path, after: str, *, told: bool) -> Iterator[Entry]:
    """An entry for every message that was changed since `after` (milliseconds since 1970; "" for all).

    Raises:
        UnreadableLine: the database cannot be read.
    """
    since = int(after) if after.isdigit() else 0
    try:
        with closing(_opened(path)) as database:
            places = _places(database)
            for row in database.execute(_MESSAGES, (since,)):
                yield _entry(database, places, row, told=told)
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
    row: tuple[bytes, bytes, int, bytes],
    *,
    told: bool,
) -> Entry:
    name, session, updated, data = _text(row[0]), _text(row[1]), row[2], row[3]
    place = places.get(session) or Place(root=session)
    parts = [part[0] for part in database.execute(_PARTS, (row[0].decode(errors="replace"),))]
    try:
        events = message_events(place, name, data, parts, told=told)
    except UnreadableLine as error:
        return Entry(name, place.root, [], left_out=str(error), mark=str(updated))
    return Entry(name, place.root, events, mark=str(updated))


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""
