"""What `acd db` does: status, dump, restore, destroy, time zone."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql

from acd.core.errors import Busy, DatabaseAway, DatabaseError, DatabaseRefused
from acd.core.settings import Settings
from acd.database.connection import Database, Transaction
from acd.database.embedded import EmbeddedServer, ServerStatus
from acd.database.locks import FileLock, is_free
from acd.database.opening import reachable
from acd.database.programs import call_program, find_program, restore_dump
from acd.database.schema import bring_up_to_date, known_revisions, upgrade
from acd.database.wire import Expected, place_of

_APPLICATION = "acd db"
_LONG = 3600.0


@dataclass(frozen=True)
class Status:
    """State of the database as far as it can be told; `problem` says why it cannot be reached."""

    source: str
    place: str
    reachable: bool
    problem: str | None
    server_version: str | None
    revision: str | None
    newest_revision: str
    timezone: str | None
    size_bytes: int | None
    clients: int | None
    embedded: ServerStatus | None


async def status(settings: Settings) -> Status:
    """Look at the database; starts no server and changes nothing.

    Raises:
        DatabaseRefused: there are no programs for an embedded server.
    """
    embedded = None if settings.database_url else EmbeddedServer(settings)
    seen = embedded.status() if embedded else None
    url = settings.database_url or (embedded.url if embedded else "")
    found: dict[str, Any] = {}
    problem: str | None = None
    if seen is not None and seen.pid is None:
        problem = "the embedded server is not running"
    else:
        try:
            found = await _look(url)
        except DatabaseError as error:
            problem = str(error)
    return Status(
        source="embedded" if embedded else "DATABASE_URL",
        place=str(seen.socket) if seen else place_of(url),
        reachable=bool(found),
        problem=problem,
        server_version=found.get("server_version"),
        revision=found.get("revision"),
        newest_revision=known_revisions()[-1],
        timezone=found.get("timezone"),
        size_bytes=found.get("size_bytes"),
        clients=found.get("clients"),
        embedded=seen,
    )


async def _look(url: str) -> dict[str, Any]:
    database = Database(url, application=_APPLICATION, expected=None)
    try:
        found = await database.fetch_one("schema.server") or {}
        tables = await database.fetch_one("schema.tables")
        if tables and tables["versioned"] and tables["created"]:
            found |= await database.fetch_one("schema.state") or {}
    finally:
        await database.close()
    return found


async def bring_to_newest(settings: Settings) -> str:
    """Migrate (`acd db upgrade`); the revision that the schema has then. Errors as `bring_up_to_date`."""
    async with reachable(settings) as (url, _):
        state = await bring_up_to_date(
            url, application=_APPLICATION, timezone=settings.timezone, migrate=True
        )
    return state.revision or "none"


async def dump(settings: Settings, file: Path) -> None:
    """Write everything into `file` (pg_dump's custom format, mode 0600); it appears whole or not at all.

    Raises:
        DatabaseAway, DatabaseError: not reachable; pg_dump's own words.
    """
    program = find_program(settings, "pg_dump")
    draft = file.with_name(file.name + ".new")
    try:
        draft.touch(mode=0o600)
    except OSError as error:
        raise DatabaseError(f"{file} cannot be written: {error}") from error
    try:
        async with reachable(settings) as (url, _):
            command = [str(program), "--format=custom", f"--file={draft}"]
            await asyncio.to_thread(call_program, command, url)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


async def restore(settings: Settings, file: Path, *, replace: bool = False) -> None:
    """Fill the database from a dump, in one transaction, and bring an older dump's schema up to date.

    Raises:
        DatabaseRefused: targets are recorded there already and `replace` is not given.
        DatabaseAway, DatabaseError: not reachable; pg_restore's own words. The database is as before then.
    """
    if not file.is_file():
        raise DatabaseError(f"there is no dump at {file}")
    async with reachable(settings) as (url, _):
        database = Database(url, application=_APPLICATION, expected=None)
        try:
            tables = await database.fetch_one("schema.tables") or {}
            clean = bool(tables["created"])
            if clean:
                used = await database.fetch_one("schema.used") or {}
                if used["used"] and not replace:
                    raise DatabaseRefused(
                        f"the database at {place_of(url)} has records already: --replace drops them"
                    )
            await asyncio.to_thread(restore_dump, settings, file, url, clean=clean)
            await _set_database_timezone(database)
        finally:
            await database.close()
        await upgrade(url, timezone=settings.timezone)
        await _settle_order(url)


async def _settle_order(url: str) -> None:
    """A dump of another server counts transactions as that one did.

    Rows of its future would come up in the live stream whenever this server's count gets there.
    """
    database = Database(url, application=_APPLICATION, expected=None)
    try:
        async with database.transaction(timeout=_LONG) as transaction:
            await transaction.execute("schema.settle_events")
            await transaction.execute("schema.settle_requests")
    finally:
        await database.close()


async def _set_database_timezone(database: Database) -> None:
    """A dump has the rows but not the settings of the database itself."""
    async with database.transaction() as transaction:
        state = await transaction.fetch_one("schema.state") or {}
        if state["timezone"]:
            await _alter_timezone(transaction, state["timezone"])


async def set_timezone(settings: Settings, zone: str) -> None:
    """Count days in another zone from now on, and recompute every roll-up by it, in one transaction.

    While that lasts nobody gets a new connection, and who had one loses it: a session keeps the zone that it began
    with and would go on writing days of the old one.

    Raises:
        DatabaseRefused: the role does not own the database. DatabaseAway, DatabaseError: nothing was changed.
    """
    async with reachable(settings) as (url, revive):
        await bring_up_to_date(url, application=_APPLICATION, timezone=zone, migrate=True)
        database = Database(url, application=_APPLICATION, expected=Expected(), revive=revive)
        try:
            async with database.transaction(timeout=_LONG) as transaction:
                await transaction.execute_sql("LOCK TABLE acd_settings IN ACCESS EXCLUSIVE MODE")
                await transaction.fetch_all("schema.end_other_sessions")
                await transaction.execute("schema.set_timezone", zone=zone)
                await _alter_timezone(transaction, zone)
                await _recompute(transaction)
        finally:
            await database.close()


async def _recompute(transaction: Transaction) -> None:
    """Every sum by day anew, from the rows below it. No target needs its lock: nobody else has a session."""
    await transaction.execute("rollups.recompute_sessions")
    for target in await transaction.fetch_all("rollups.target_ids"):
        found = await transaction.fetch_all("rollups.days_of_target", target_id=target["id"])
        days = [row["day"] for row in found]
        await transaction.execute("rollups.model_usage", target_id=target["id"], days=days)
        await transaction.execute("rollups.snapshots", target_id=target["id"], days=days)


async def _alter_timezone(transaction: Transaction, zone: str) -> None:
    name = await transaction.fetch_one("schema.database_name") or {}
    statement = sql.SQL("ALTER DATABASE {} SET timezone TO {}").format(
        sql.Identifier(name["name"]), sql.Literal(zone)
    )
    await transaction.execute_sql(statement.as_string())


def url_of(settings: Settings) -> str:
    """URL of the database in use, password and all where DATABASE_URL has one."""
    return settings.database_url or EmbeddedServer(settings).url


def embedded_folder(settings: Settings) -> Path:
    """Folder of the embedded database; DatabaseRefused where another one is used."""
    return _embedded(settings).places.base


def keep_up(settings: Settings) -> None:
    """Start the embedded server and let it stay when nobody uses it (`acd db start`); errors as `attach`."""
    server = _embedded(settings)
    try:
        server.attach()
        server.keep()
    finally:
        server.leave()


def let_stop(settings: Settings) -> bool:
    """Undo `keep_up` and wait for the server to stop; False where somebody still uses it."""
    server = _embedded(settings)
    server.release()
    server.wait_until_stopped()
    return server.status().pid is None


def destroy(settings: Settings) -> None:
    """Remove the embedded database with everything in it.

    Raises:
        DatabaseRefused: the database is not the embedded one. Busy: somebody uses it.
    """
    server = _embedded(settings)
    server.release()
    remove_embedded(server)


def _embedded(settings: Settings) -> EmbeddedServer:
    if settings.database_url:
        raise DatabaseRefused("this is about the embedded database, but DATABASE_URL is set")
    return EmbeddedServer(settings)


def remove_embedded(server: EmbeddedServer) -> None:
    """Remove the folders of a server that nobody uses.

    Raises:
        Busy: somebody uses it.
        DatabaseAway: it does not stop.
    """
    places = server.places
    if not places.base.exists():
        return
    server.wait_until_stopped()
    with FileLock(places.gate).held(seconds=10) as got:
        if not got or not is_free(places.users):
            raise Busy("the embedded database is in use: end what uses it first")
        if not is_free(places.guard):
            raise DatabaseAway("the embedded PostgreSQL does not stop")
        shutil.rmtree(places.base)
        shutil.rmtree(
            places.socket_folder, ignore_errors=True
        )  # elsewhere when the path was too long
