"""The calls on one connection: named queries, COPY, savepoints; a transaction of a moment or of any length.

Made by `Database` (connection.py), which lends the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from psycopg import AsyncCopy, AsyncCursor, sql
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

from acd.core.errors import DatabaseError
from acd.database.binary import HEADER, TRAILER
from acd.database.queries import load_queries
from acd.database.translate import translated
from acd.database.wire import Connection

ROLLBACK_TIMEOUT = 2.0
PART_TIMEOUT = 120.0
"""Seconds that a statement of a snapshot, or a part of what COPY gives, may take."""

# COPY gives a message a row; they are handed on in parts of this many bytes.
_PART = 64 * 1024
_OPEN = frozenset({TransactionStatus.INTRANS, TransactionStatus.INERROR})


async def roll_back(connection: Connection) -> None:
    """Undo; a connection that cannot even do that is closed by the pool, which undoes too."""
    if connection.info.transaction_status in _OPEN:
        with suppress(DatabaseError), connection.limited(ROLLBACK_TIMEOUT):
            await connection.execute("ROLLBACK")


class Calls:
    """The calls that `Database` and `Transaction` share, on a connection that the caller has."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds

    async def _query(self, name: str, params: dict[str, object]) -> AsyncCursor[DictRow]:
        with self._connection.limited(self._seconds):
            return await self._connection.execute(load_queries()[name].sql, params)

    async def fetch_all(self, name: str, /, **params: object) -> list[dict[str, Any]]:
        """All rows of the named query."""
        cursor = await self._query(name, params)
        with self._connection.limited(self._seconds):
            return await cursor.fetchall()

    async def fetch_one(self, name: str, /, **params: object) -> dict[str, Any] | None:
        """The first row of the named query, None where there is none."""
        cursor = await self._query(name, params)
        with self._connection.limited(self._seconds):
            return await cursor.fetchone()

    async def fetch_json(self, name: str, /, **params: object) -> bytes | None:
        """The first column of the first row as it came over the wire: JSON text, UTF-8, not decoded."""
        cursor = await self._query(name, params)
        return cursor.pgresult.get_value(0, 0) if cursor.pgresult and cursor.rowcount else None

    async def execute(self, name: str, /, **params: object) -> int:
        """Run the named query; the number of rows that it touched."""
        cursor = await self._query(name, params)
        return cursor.rowcount


class Transaction(Calls):
    """Calls on the connection of one transaction. Made by `Database.transaction`."""

    async def execute_sql(self, statement: str) -> None:
        """Run a statement of our own making (a temporary table), never made of data."""
        with self._connection.limited(self._seconds):
            await self._connection.execute(statement.encode())

    async def fetch_foreign(
        self, statement: str, params: Mapping[str, object]
    ) -> list[dict[str, Any]]:
        """All rows of a statement that a library brings with it (Procrastinate's own queries), never one of ours."""
        with self._connection.limited(self._seconds):
            cursor = await self._connection.execute(statement.encode(), params)
            return await cursor.fetchall() if cursor.description else []

    async def copy(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        types: Sequence[str] | None = None,
    ) -> int:
        """COPY rows into a table; binary when `types` (one type name a column) are given.

        Returns:
            How many rows were copied.

        Raises:
            DataRefused: a row holds a value that its column cannot take; nothing is copied.
        """
        command = sql.SQL("COPY {} ({}) FROM STDIN{}").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(" (FORMAT BINARY)" if types else ""),
        )
        copied = 0
        with self._connection.limited(self._seconds):
            async with self._connection.cursor().copy(command) as copy:
                if types:
                    copy.set_types(types)
                # What `copy.write_row` does, without a coroutine for each row: of a hundred thousand that counts.
                format_row, write = copy.formatter.write_row, copy.writer.write
                for row in rows:
                    if data := format_row(row):
                        await write(data)
                    copied += 1
        return copied

    async def copy_packed(self, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> None:
        """COPY rows that are in PostgreSQL's binary form already (`acd.database.binary`), each with its number of fields.

        Raises:
            DataRefused: a row cannot be packed, or holds a value that its column cannot take; nothing is copied.
        """
        command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self._connection.limited(self._seconds):
            async with self._connection.cursor().copy(command) as copy:
                parts, size = [HEADER], len(HEADER)
                for row in rows:
                    parts.append(row)
                    size += len(row)
                    if size >= _PART:
                        await copy.write(b"".join(parts))
                        parts, size = [], 0
                await copy.write(b"".join((*parts, TRAILER)))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part of the transaction that is undone alone when the block raises."""
        await self.execute_sql("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self._connection.info.transaction_status in _OPEN:
                await self.execute_sql("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
            raise
        await self.execute_sql("RELEASE SAVEPOINT part")


class Snapshot(Transaction):
    """A read-only transaction of any length on a connection of its own: all it reads is of one moment.

    Made by `Database.snapshot`.
    """

    async def copy_out(
        self, name: str, options: str, params: Mapping[str, object], *, as_json: bool = False
    ) -> AsyncGenerator[bytes]:
        """Yield the rows of the named query as COPY writes them, in parts of some 64 KB that end with a row.

        Args:
            name: a query that gives rows.
            options: of COPY, such as `FORMAT csv`.
            params: of the query.
            as_json: each row as one JSON object, instead of its columns.

        Raises:
            DatabaseAway: the connection was lost, or 64 KB took more than two minutes; what came so far is not all.
        """
        rows = load_queries()[name].sql.rstrip(b";")
        if as_json:
            rows = b"SELECT row_to_json(line) FROM (%s) AS line" % rows
        statement = b"COPY (%s) TO STDOUT (%s)" % (rows, options.encode())
        with translated():
            async with self._connection.cursor().copy(statement, params) as copy:
                try:
                    while part := await self._part(copy):
                        yield part
                except BaseException:
                    # The driver now asks the server to stop; one that does not even answer to that is left.
                    asyncio.get_running_loop().call_later(ROLLBACK_TIMEOUT, self._connection.cut)
                    raise

    async def _part(self, copy: AsyncCopy) -> bytes:
        part = bytearray()
        with self._connection.limited(PART_TIMEOUT):
            while len(part) < _PART and (row := await copy.read()):
                part += row
        return bytes(part)
