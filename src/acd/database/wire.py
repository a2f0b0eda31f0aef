"""One connection: how it is made, what it is told first, and how a call on it is kept from lasting for ever."""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache

import msgspec
import psycopg
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb, JsonbDumper, set_json_dumps, set_json_loads

from acd.core.errors import DatabaseAway, DatabaseRefused
from acd.database import binary
from acd.database.conninfo import CONNECT_TIMEOUT, OLDEST_SERVER, pinned
from acd.database.queries import load_queries
from acd.database.translate import translated

__all__ = [
    "CALL_TIMEOUT",
    "CONNECT_TIMEOUT",
    "Connection",
    "Expected",
    "Json",
    "connect",
    "parameters",
    "place_of",
    "prepare",
    "timezone_differs",
]

CALL_TIMEOUT = 8.0
_CANCEL_TIMEOUT = 1.0


@dataclass(frozen=True)
class Expected:
    """What a connection must find in the database; None where anything is fine."""

    revision: str | None = None
    timezone: str | None = None


class Connection(psycopg.AsyncConnection[DictRow]):
    """A connection that can be cut off from outside, so that no call outlasts its limit.

    Cancelling a call in the ordinary way asks the server and waits for it, for ever or for many seconds when the
    server is stopped (SIGSTOP, a dead machine). Shutting our end of the socket down wakes the driver at once.
    """

    cut_off = False
    idle_since = 0.0

    async def cancel_safe(self, *, timeout: float = _CANCEL_TIMEOUT) -> None:
        """As psycopg's, which waits 5 s when a call is cancelled; ours waits 1 s at most."""
        await super().cancel_safe(timeout=min(timeout, _CANCEL_TIMEOUT))

    def cut(self) -> None:
        """Shut the socket down: whatever waits for the server fails now."""
        self.cut_off = True
        if self.closed:
            return
        with socket.socket(fileno=os.dup(self.pgconn.socket)) as twin, suppress(OSError):
            twin.shutdown(
                socket.SHUT_RDWR
            )  # refused where the other side has gone: then nothing waits

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Give the calls in the block `seconds` altogether and translate their errors.

        Raises:
            DatabaseAway: the server did not answer in time; also as `translated` says.
        """
        timer = asyncio.get_running_loop().call_later(max(seconds, 0.0), self.cut)
        try:
            with translated():
                yield
        except DatabaseAway as error:
            if self.cut_off:
                raise DatabaseAway(f"PostgreSQL did not answer within {seconds:.1f} s") from error
            raise
        finally:
            timer.cancel()

    @property
    def usable(self) -> bool:
        """Whether an idle connection can be given out: open, in no transaction, and nothing waits to be read.

        A server that ends closes its sockets, which makes ours readable: seen without a round trip.
        """
        if self.closed or self.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            return False
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return not poll.poll(0)


class _DictDumper(JsonbDumper):
    """Takes a plain dict for jsonb; a list stays an array, so wrap it in `Json` to mean jsonb."""

    def dump(self, obj: object) -> bytes:
        return msgspec.json.encode(obj)


class _TextsDumper(Dumper):
    """A flat list of texts for a binary COPY, at a fifth of what the driver's own dumper for any list takes."""

    format = psycopg.pq.Format.BINARY
    oid = psycopg.adapters.types["text"].array_oid

    def dump(self, obj: list[str]) -> bytes:
        return binary.texts(obj)[4:]  # without the field's length


def text_array(values: Collection[str]) -> str:
    """Thousands of texts as a parameter for `%(name)s::text[]`: the driver looks at each of a list whether it needs quotes."""
    inside = '","'.join(values)
    if "\\" in inside or inside.count('"') != 2 * (len(values) - 1):
        inside = '","'.join(each.replace("\\", r"\\").replace('"', r"\"") for each in values)
    return f'{{"{inside}"}}' if values else "{}"


@cache
def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    holder = _Context(adapters)
    set_json_dumps(msgspec.json.encode, holder)
    set_json_loads(msgspec.json.decode, holder)
    adapters.register_dumper(dict, _DictDumper)
    adapters.register_dumper(None, _TextsDumper)  # by type name only, which is how a COPY asks
    return adapters


@dataclass(frozen=True)
class _Context:
    adapters: AdaptersMap
    connection: None = None


def parameters(url: str, application: str) -> dict[str, str]:
    """Connection parameters of a URL, as `pinned` completes them.

    Raises:
        DatabaseRefused: the URL is none that libpq understands.
    """
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError as error:
        raise DatabaseRefused(f"DATABASE_URL is not a PostgreSQL URL: {error}") from error
    return pinned(given, application)


def place_of(url: str) -> str:
    """Where a URL points, without its password: for messages."""
    found = parameters(url, "acd")
    return f"{found['host'] or 'the local socket'}:{found['port']}/{found['dbname']}"


async def connect(url: str, application: str, *, seconds: float = CONNECT_TIMEOUT) -> Connection:
    """Open a connection (autocommit, rows as dicts) without telling it anything yet.

    Raises:
        DatabaseAway: not reachable within `seconds`; the message names the host.
        DatabaseRefused: a server older than 15.
    """
    wanted = parameters(url, application)
    try:
        with translated():
            async with asyncio.timeout(seconds):
                connection = await Connection.connect(
                    autocommit=True,
                    row_factory=dict_row,
                    context=_Context(_adapters()),
                    **wanted,  # type: ignore[arg-type]
                )
    except TimeoutError as error:
        raise DatabaseAway(
            f"PostgreSQL at {place_of(url)} did not answer within {seconds:.1f} s"
        ) from error
    except DatabaseAway as error:
        raise DatabaseAway(f"PostgreSQL at {place_of(url)} cannot be reached: {error}") from error
    if connection.info.server_version < OLDEST_SERVER * 10_000:
        version = connection.info.server_version // 10_000
        await connection.close()
        raise DatabaseRefused(
            f"PostgreSQL at {place_of(url)} is version {version}; acd needs {OLDEST_SERVER} or later"
        )
    return connection


async def prepare(connection: Connection, expected: Expected, *, seconds: float) -> None:
    """Set a session up and see that the database is still the one that was opened.

    The session's time zone is the one that the database keeps in `acd_settings`, whatever PGTZ says.

    Raises:
        DatabaseRefused: the schema or the time zone has changed since.
    """
    with connection.limited(seconds):
        cursor = await connection.execute(
            load_queries()["schema.begin_session"].sql,
            {"statement_timeout": str(int(CALL_TIMEOUT * 1000))},
        )
        row = await cursor.fetchone()
    found = row or {"revision": None, "timezone": None}
    if expected.revision and found["revision"] != expected.revision:
        raise DatabaseRefused(
            f"the database's schema was changed (from {expected.revision} to {found['revision']}) "
            "while acd was running: start acd again"
        )
    if expected.timezone and found["timezone"] != expected.timezone:
        raise DatabaseRefused(
            timezone_differs(in_database=found["timezone"], in_settings=expected.timezone)
        )


def timezone_differs(*, in_database: str | None, in_settings: str) -> str:
    """What to say when ACD_TIMEZONE is set to another zone than the database's."""
    return (
        f"days are counted in {in_database} in this database, but ACD_TIMEZONE is {in_settings}: "
        f"unset it, or change the database with `acd db timezone {in_settings}`"
    )


Json = Jsonb
