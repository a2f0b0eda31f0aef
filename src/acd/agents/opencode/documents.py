"""OpenCode's older store: a JSON document for each session, message and part. They are only ever read.

storage/session/<project>/<session>.json
storage/message/<session>/<message>.json
storage/part/<message>/<part>.json
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from acd.agents.history import Entry
from acd.agents.opencode.message import Place, info_of, message_events
from acd.agents.opencode.shapes import Info
from acd.core.errors import UnreadableLine

_DEEPEST = 20
_ID = re.compile(r"\w{1,100}")


def document_entries(path: Path, *, told: bool) -> Iterator[Entry]:
    """The one message of a document.

    Raises:
        UnreadableLine: it cannot be read.
    """
    session, storage = path.parent.name, path.parent.parent.parent
    place = _place(storage, session)
    parts = [_bytes(part) for part in sorted((storage / "part" / path.stem).glob("*.json"))]
    events = message_events(place, path.stem, _bytes(path), parts, told=told)
    yield Entry(path.stem, place.root, events)


def _place(storage: Path, session: str) -> Place:
    """Where the session stands; what its document does not tell stays unknown."""
    info = _info(storage, session)
    if info is None:
        return Place(root=session)
    root, parent = session, _named(info.parent_id)
    for _ in range(_DEEPEST):
        if not parent:
            break
        root = parent
        above = _info(storage, parent)
        parent = _named(above.parent_id) if above else ""
    return Place(
        root=root,
        subagent=root != session,
        directory=info.directory,
        version=info.version,
        created=info.time.created if info.time else None,
    )


def _info(storage: Path, session: str) -> Info | None:
    if not _ID.fullmatch(session):
        return None  # it becomes a pattern: it may not hold what patterns are made of
    for path in sorted((storage / "session").glob(f"*/{session}.json")):
        try:
            return info_of(_bytes(path))
        except UnreadableLine:
            continue  # what it holds is for show; the message counts without it
    return None


def _named(value: object) -> str:
    return value if isinstance(value, str) else ""


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableLine(f"cannot be read: {error.strerror}") from None
