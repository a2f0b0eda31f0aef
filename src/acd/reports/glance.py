"""What a person sees at a glance, in a terminal here or elsewhere. Each function raises DatabaseAway without a database."""

from __future__ import annotations

import re
from uuid import UUID

from acd.core.errors import AcdError
from acd.database.connection import Database
from acd.reports import live, targets, used
from acd.reports._read import read

_AMBIGUOUS = 2
_DIGITS = 32
_ID = re.compile(r"[0-9a-fA-F-]{4,36}")
_NUMBERED = re.compile(r"(?P<repo>.+)[#](?P<number>\d{1,9})", re.ASCII | re.DOTALL)


class Ambiguous(AcdError):
    """A name that several things have."""


async def sessions_named(db: Database, prefix: str) -> list[UUID]:
    """Sessions whose id begins with `prefix`, at most two: enough to know that it is ambiguous."""
    digits = prefix.lower().replace("-", "")
    if len(digits) > _DIGITS:
        return []
    first, last = (UUID(digits.ljust(_DIGITS, filler)) for filler in "0f")
    if not str(first).startswith(prefix.lower()):  # a hyphen where no id has one
        return []
    rows = await db.fetch_all("glance.sessions_named", first=first, last=last, limit=_AMBIGUOUS)
    return [row["id"] for row in rows]


async def session_numbered(db: Database, repo_id: str, number: int) -> UUID | None:
    """The session of a target with this number."""
    row = await db.fetch_one("glance.session_numbered", repo_id=repo_id, number=number)
    return row["id"] if row else None


async def timeline(db: Database, session_id: UUID, *, limit: int) -> bytes:
    """Array of `TimelineRow`: the last `limit` events of a session, oldest first."""
    return await read(db, "glance.timeline", id=session_id, limit=limit)


async def commits(db: Database, *, limit: int) -> bytes:
    """Array of `RecentCommit`: commits of all targets, newest first."""
    return await read(db, "glance.commits", limit=limit)


async def usage_by_target(db: Database, *, days: int) -> bytes:
    """Array of `TargetSpending` of the last `days` days, today included, the costliest first."""
    return await read(db, "glance.usage_by_target", days=days)


async def standing(db: Database) -> bytes:
    """One `Standing`."""
    return await read(db, "glance.standing")


async def everything(db: Database, pending: tuple[int, int] | None) -> bytes:
    """One `Glance`: reports side by side, each as PostgreSQL made it. `pending` is how many folders and bytes wait."""
    waiting = b"null" if pending is None else b'{"folders":%d,"bytes":%d}' % pending
    parts = {
        b"summary": await targets.summary(db),
        b"running": await live.running(db),
        b"targets": await targets.recent(db),
        b"standing": await standing(db),
        b"pending": waiting,
        b"order": await read(db, "control.state"),
        b"atListPrice": b'"%s"' % (await used.priced_how(db)).encode(),
    }
    return b"{%s}" % b",".join(b'"%s":%s' % part for part in parts.items())


async def session_meant(db: Database, name: str) -> UUID | None:
    """The session that a word means: the beginning of an id (four characters or more), or TARGET#NUMBER.

    Raises:
        Ambiguous: several ids begin so.
    """
    numbered = _NUMBERED.fullmatch(name)
    if numbered:
        return await session_numbered(db, numbered["repo"], int(numbered["number"]))
    matching = await sessions_named(db, name) if _ID.fullmatch(name) else []
    if len(matching) > 1:
        raise Ambiguous(f"several sessions begin with {name!r}: give more of its id")
    return matching[0] if matching else None
