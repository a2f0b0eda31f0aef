"""Which schema a database has, which this program needs, and bringing the one to the other."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass

import msgspec

from acd.core.errors import DatabaseAway, DatabaseError, DatabaseRefused
from acd.database.queries import load_queries
from acd.database.revisions import known_revisions, read_revision
from acd.database.wire import Connection, connect

__all__ = [
    "AWAY_STATUS",
    "State",
    "bring_up_to_date",
    "inspect",
    "known_revisions",
    "read_revision",
    "upgrade",
    "without_pg",
]

_CHECK_TIMEOUT = 8.0
AWAY_STATUS = 75  # EX_TEMPFAIL of sysexits.h: how the migration's process says DatabaseAway


@dataclass(frozen=True)
class State:
    """What a database says of itself; None where it has not been migrated."""

    revision: str | None
    timezone: str | None


async def inspect(connection: Connection) -> State:
    """Read the state of the database's schema; errors as `Connection.limited`."""
    queries = load_queries()
    with connection.limited(_CHECK_TIMEOUT):
        tables = await (await connection.execute(queries["schema.tables"].sql)).fetchone()
        if not tables or not (tables["versioned"] and tables["created"]):
            return State(None, None)
        found = await (await connection.execute(queries["schema.state"].sql)).fetchone()
    return State(**found) if found else State(None, None)


async def bring_up_to_date(url: str, *, application: str, timezone: str, migrate: bool) -> State:
    """See that the schema is the one that this program knows, migrating an older one where `migrate` says so.

    Raises:
        DatabaseRefused: the schema is newer; or older and `migrate` is False.
        DatabaseAway, DatabaseError: as `connect` and `upgrade`.
    """
    state = await _inspect_at(url, application)
    newest = known_revisions()[-1]
    if state.revision is not None and state.revision not in known_revisions():
        raise DatabaseRefused(
            f"the database's schema is at revision {state.revision}, this acd knows up to {newest}: upgrade acd"
        )
    if state.revision == newest and state.timezone is not None:
        return state
    if not migrate:
        raise DatabaseRefused(
            f"the database's schema is at revision {state.revision or 'none'} and this acd needs {newest}: "
            "call `acd db upgrade`"
        )
    await upgrade(url, timezone=timezone)
    return await _inspect_at(url, application)


async def _inspect_at(url: str, application: str) -> State:
    connection = await connect(url, application)
    try:
        return await inspect(connection)
    finally:
        await connection.close()


async def upgrade(url: str, *, timezone: str) -> None:
    """Migrate to the newest revision, in a process of its own.

    Alembic and SQLAlchemy take longer to import than everything else together, and nearly always there is nothing
    to migrate: whoever opens a database asks a plain query first and pays for them only when it must. The URL goes
    through stdin, because a command line can be read by everybody on the machine.

    Raises:
        DatabaseAway: the connection was lost; the schema is the old or the new one.
        DatabaseError: a statement failed; the schema is that of the last revision that succeeded.
    """
    request = msgspec.json.encode({"url": url, "timezone": timezone})
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # a folder of that name where the user stands is none of ours
        "-m",
        "acd.database.migrate",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=without_pg(os.environ),
    )
    try:
        output, _ = await child.communicate(request)
    except BaseException:
        if child.returncode is None:
            child.kill()
        await child.wait()
        raise
    if child.returncode:
        kind = DatabaseAway if child.returncode == AWAY_STATUS else DatabaseError
        raise kind("the database could not be migrated: " + output.decode(errors="replace").strip())


def without_pg(environment: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """An environment for a child that uses libpq: nothing of the user's that steers libpq, but for its secrets."""
    kept = ("PGPASSWORD", "PGPASSFILE", "PGSSL")
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("PG") or name.startswith(kept)
    }
