"""The door to PostgreSQL: named queries on a pool, transactions, notifications.

    async with open_database(settings, application="acd serve") as database:
        rows = await database.fetch_all("sessions.newest", limit=10)

Every call ends within 10 seconds, also when the server hangs. Values: `dict` goes to jsonb, `list` to an array,
`Json(x)` makes jsonb of anything; numeric comes back as Decimal, timestamptz as aware datetime, uuid as UUID.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
)
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeVar

from psycopg import sql
from psycopg.pq import TransactionStatus

from acd.core.errors import DatabaseAway, DatabaseError
from acd.core.settings import Settings
from acd.database.keeping import Kept
from acd.database.opening import located
from acd.database.pool import Pool
from acd.database.queries import load_queries
from acd.database.sharing import Sharing
from acd.database.transaction import PART_TIMEOUT, Calls, Snapshot, Transaction, roll_back
from acd.database.translate import translated
from acd.database.wire import (
    CALL_TIMEOUT,
    CONNECT_TIMEOUT,
    Connection,
    Expected,
    Json,
    connect,
    prepare,
)

__all__ = ["Database", "Json", "Notification", "Snapshot", "Transaction", "open_database"]

# The server's own limit on a statement is CALL_TIMEOUT; a second more lets its answer arrive.
_SLACK = 1.0
_LISTEN_PING = 15.0
# Of what tells the time: no moment is like it.
_NO_MOMENT = b""

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Notification:
    """What NOTIFY sent."""

    channel: str
    payload: str


class Database:
    """A pool of connections to one database, and the named queries. Made by `open_database`.

    `expected` is what each connection must find; None is for looking at a database that may have no schema.
    """

    def __init__(
        self,
        url: str,
        *,
        application: str,
        expected: Expected | None,
        revive: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.url = url
        self._application = application
        self._expected = expected
        self._revive = revive
        self._pool = Pool(self._connect)
        self._shared = Sharing[bytes | None]()
        self._kept = Kept[bytes | None]()
        self._kept_things = Kept[Any]()
        self._patience = 0.0

    def again(self) -> Database:
        """The same database with connections of its own: for a process that was forked, where ours must not be used."""
        return Database(self.url, application=self._application, expected=self._expected)

    async def _connect(self, seconds: float) -> Connection:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        connection = await self._reach(deadline)
        try:
            if self._expected is not None:
                await prepare(connection, self._expected, seconds=deadline - loop.time())
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _reach(self, deadline: float) -> Connection:
        """Connect; where that fails at once, see that the embedded server is started again."""
        now = asyncio.get_running_loop().time
        try:
            return await connect(self.url, self._application, seconds=deadline - now())
        except DatabaseAway:
            if self._revive is None or now() > deadline - _SLACK:
                raise
        try:
            async with asyncio.timeout_at(deadline):
                await self._revive()
        except TimeoutError as error:
            raise DatabaseAway("the embedded PostgreSQL is being started again") from error
        return await connect(self.url, self._application, seconds=deadline - now())

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Calls]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CALL_TIMEOUT + _SLACK
        async with self._pool.lease(deadline) as connection:
            yield Calls(connection, deadline - loop.time())

    async def fetch_all(self, name: str, /, **params: object) -> list[dict[str, Any]]:
        """All rows of the named query.

        Raises:
            DatabaseAway: no answer within 10 s, or no connection. DataRefused, DatabaseError: see `translated`.
        """
        async with self._session() as session:
            return await session.fetch_all(name, **params)

    async def fetch_one(self, name: str, /, **params: object) -> dict[str, Any] | None:
        """The first row of the named query, None where there is none; errors as `fetch_all`."""
        async with self._session() as session:
            return await session.fetch_one(name, **params)

    async def fetch_json(self, name: str, /, **params: object) -> bytes | None:
        """The first column of the first row, JSON text as UTF-8 bytes, not decoded; errors as `fetch_all`."""
        async with self._session() as session:
            return await session.fetch_json(name, **params)

    async def shared_json(self, name: str, /, **params: Hashable) -> bytes | None:
        """As `fetch_json`, of a query that only reads: one read for all who ask the same at the same time.

        While nothing is written anywhere in the database, it is answered from what was read before (`keeping`).
        """
        question = (name, *params.items())
        known = self._kept.lately(question, self._since()) if self._patience else None
        if known is not None:
            return known.answer
        try:
            async with asyncio.timeout(CALL_TIMEOUT + 1.5 * _SLACK):
                return await self._shared.ask(question, lambda: self._current_json(name, params))
        except TimeoutError as error:
            raise DatabaseAway("PostgreSQL did not answer in time") from error

    async def _current_json(self, name: str, params: dict[str, Hashable]) -> bytes | None:
        question, now = (name, *params.items()), asyncio.get_running_loop().time()
        if load_queries()[name].tells_time:
            answer = await self.fetch_json(name, **params)
            if self._patience:
                self._kept.keep(question, _NO_MOMENT, answer, len(answer or b""), now)
            return answer
        async with self._session() as session:
            moment = await session.fetch_json("schema.moment") or b""
            known = self._kept.find(question, moment, now)
            if known is not None:
                return known.answer
            answer = await session.fetch_json(name, **params)
        self._kept.keep(question, moment, answer, len(answer or b""), now)
        return answer

    def lately(self, seconds: float) -> Database:
        """The same database for who may be told what was true up to `seconds` ago, while something is written.

        It has the same connections and kept answers; `shared_json` and `while_unchanged` alone are different. What
        somebody changed through this program is told at once, see `read_anew`.
        """
        other = copy(self)
        other._patience = seconds
        return other

    def read_anew(self) -> None:
        """Something was changed that is to be seen at once: nobody is told any more what was true before."""
        now = asyncio.get_running_loop().time()
        self._kept.read_anew(now)
        self._kept_things.read_anew(now)

    def _since(self) -> float:
        return asyncio.get_running_loop().time() - self._patience

    async def while_unchanged(
        self, question: Hashable, read: Callable[[Database], Awaitable[Thing]], *, size: int
    ) -> Thing:
        """What `read` makes of the database alone, again only after something was written; nobody may change it.

        Args:
            question: names what is read, with everything that it depends on beside the stored rows.
            read: asks the database that it is given and no other; neither looks at the time nor writes.
            size: how large it is, in bytes, about.

        Raises:
            DatabaseAway: and whatever `read` raises.
        """
        now = asyncio.get_running_loop().time()
        known = self._kept_things.lately(question, self._since()) if self._patience else None
        if known is None:
            moment = await self.fetch_json("schema.moment") or b""
            known = self._kept_things.find(question, moment, now)
        if known is not None:
            found: Thing = known.answer
            return found
        # Of the moment and nothing older, because it is kept for everybody.
        thing = await read(self.lately(0.0) if self._patience else self)
        self._kept_things.keep(question, moment, thing, size, now)
        return thing

    async def execute(self, name: str, /, **params: object) -> int:
        """Run the named query as a transaction of its own; the number of rows that it touched.

        Raises:
            DatabaseAway: also when it is not known whether the transaction was committed: repeat what is keyed.
        """
        async with self._session() as session:
            return await session.execute(name, **params)

    @asynccontextmanager
    async def transaction(self, *, timeout: float = CALL_TIMEOUT) -> AsyncIterator[Transaction]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Args:
            timeout: seconds that each statement may take.

        Raises:
            DatabaseAway: connection lost; when that was while committing, the outcome is not known.
            DatabaseError: the block swallowed an error of a statement, so there was nothing to commit.
        """
        loop = asyncio.get_running_loop()
        async with self._pool.lease(loop.time() + CALL_TIMEOUT + _SLACK) as connection:
            transaction = Transaction(connection, timeout + _SLACK)
            begin = "BEGIN"
            if timeout != CALL_TIMEOUT:
                begin += f"; SET LOCAL statement_timeout = {int(timeout * 1000)}"
            try:
                await transaction.execute_sql(begin)
                yield transaction
                if connection.info.transaction_status == TransactionStatus.INERROR:
                    raise DatabaseError("a statement of the transaction failed: nothing was stored")
                await transaction.execute_sql("COMMIT")
            except BaseException:
                await roll_back(connection)
                raise

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """A transaction for what takes long, outside the pool, so that it never keeps a quick question waiting.

        Its statements have no time limit of the server's; nothing can be written in it.

        Raises:
            DatabaseAway: not reachable, or the connection was lost.
        """
        connection = await self._connect(CONNECT_TIMEOUT)
        try:
            snapshot = Snapshot(connection, PART_TIMEOUT)
            # Without a sort the first row comes at once, and a file of millions of rows costs the server no disk.
            await snapshot.execute_sql(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; "
                "SET LOCAL enable_sort = off; SET LOCAL jit = off"
            )
            yield snapshot
        finally:
            await connection.close()

    async def listen(self, *channels: str, announce: bool = False) -> AsyncGenerator[Notification]:
        """Yield notifications as they come, on a connection of its own, until the caller closes the generator.

        Args:
            channels: names of channels.
            announce: yield `Notification("", "")` first, once listening has begun: what is read after it has no gap.

        Raises:
            DatabaseAway: the connection was lost; what was sent meanwhile is lost too, so read the tables again.
        """
        connection = await self._connect(CONNECT_TIMEOUT)
        try:
            with connection.limited(CALL_TIMEOUT):
                for channel in channels:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            if announce:
                yield Notification("", "")
            while True:
                async for notification in _received(connection):
                    yield notification
        finally:
            await connection.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._shared.close()
        await self._pool.close()


async def _received(connection: Connection) -> AsyncIterator[Notification]:
    """Notifications of a while, then a sign of life: a connection that died silently would wait for ever."""
    with translated():
        async for notify in connection.notifies(timeout=_LISTEN_PING):
            yield Notification(notify.channel, notify.payload)
    with connection.limited(CALL_TIMEOUT):
        await connection.execute("SELECT 1")


@asynccontextmanager
async def open_database(
    settings: Settings, *, application: str, migrate: bool = True
) -> AsyncIterator[Database]:
    """Open the database of `settings.database_url`, else the embedded one (started where it does not run).

    Args:
        settings: where it is, and the time zone where one was set on purpose.
        application: shown in `pg_stat_activity`.
        migrate: bring an older schema up to date; False refuses it.

    Raises:
        DatabaseAway: not reachable; the message names the host and never the password.
        DatabaseRefused: server older than 15, schema newer than this program (or older with `migrate=False`),
            another time zone than ACD_TIMEZONE, an embedded data folder that cannot be used.
    """
    async with located(settings, application=application, migrate=migrate) as place:
        database = Database(
            place.url, application=application, expected=place.expected, revive=place.revive
        )
        try:
            yield database
        finally:
            await database.close()
