"""Procrastinate on our own door to PostgreSQL, and the schema `acd_queue` that its tables live in.

Procrastinate brings a connector with a pool of its own. Ours goes through `acd.database` instead, for three reasons:
every call has a time limit, also when the server hangs; the embedded server is started again when it died; and an
outage is waited for right here, so that the engine never sees one. Seen with the engine's own connector: a connection
that breaks in the middle of a call ends the whole worker, which then claims nothing until its last session is over.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, LiteralString, TypeVar

from procrastinate import exceptions
from procrastinate.connector import BaseAsyncConnector, Notify, Pool
from procrastinate.manager import QUEUEING_LOCK_CONSTRAINT
from procrastinate.schema import SchemaManager

from acd.core.errors import DatabaseAway, DatabaseError, DatabaseRefused, DataRefused
from acd.database.connection import Database, Transaction

logger = logging.getLogger("acd.queue")

_T = TypeVar("_T")
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 1.0
_SET_PATH = "SET LOCAL search_path = acd_queue"
_WORKERS_ALIVE = (
    "SELECT id FROM acd_queue.procrastinate_workers WHERE last_heartbeat > now() - interval '60 s'"
)


class JobConnector(BaseAsyncConnector):
    """Runs Procrastinate's statements, each in a transaction of its own, as often as it takes to reach the database.

    `give_up` ends the waiting: calls that cannot reach the database raise `ConnectorException` from then on.
    """

    def __init__(self, db: Database, give_up: asyncio.Event) -> None:
        self._db = db
        self.give_up = give_up

    async def open_async(self, pool: Pool | None = None) -> None:
        """Nothing to open: the database is open already."""

    async def close_async(self) -> None:
        """Nothing to close: whoever opened the database closes it."""

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:  # noqa: ANN401
        """Run a statement; raises as `execute_query_all_async`."""
        await self.execute_query_all_async(query, **arguments)

    async def execute_query_one_async(
        self,
        query: LiteralString,
        **arguments: Any,  # noqa: ANN401 - the base class's signature
    ) -> dict[str, Any]:
        """The first row.

        Raises:
            NoResult: there is none. ConnectorException: as `execute_query_all_async`.
        """
        rows = await self.execute_query_all_async(query, **arguments)
        if not rows:
            raise exceptions.NoResult
        return rows[0]

    async def execute_query_all_async(
        self,
        query: LiteralString,
        **arguments: Any,  # noqa: ANN401 - the base class's signature
    ) -> list[dict[str, Any]]:
        """All rows.

        Raises:
            UniqueViolation: a job with this queueing lock is waiting already.
            ConnectorException: the database refused the statement, or it is away and `give_up` is set.
        """
        params = {name: _plain(value) for name, value in arguments.items()}

        async def call() -> list[dict[str, Any]]:
            async with self._db.transaction() as transaction:
                await transaction.execute_sql(_SET_PATH)
                return await transaction.fetch_foreign(query, params)

        try:
            return await patiently(call, self.give_up)
        except DataRefused as error:
            constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
            if constraint != QUEUEING_LOCK_CONSTRAINT:
                raise exceptions.ConnectorException(str(error)) from error
            raise exceptions.UniqueViolation(
                constraint_name=constraint, queueing_lock=None
            ) from error
        except DatabaseError as error:
            raise exceptions.ConnectorException(str(error)) from error

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Not offered: workers poll, because scheduled and freed jobs announce themselves to nobody anyway."""
        raise NotImplementedError


async def patiently(call: Callable[[], Awaitable[_T]], give_up: asyncio.Event) -> _T:
    """Call until the database can be reached; what is called must bear being repeated.

    Raises:
        DatabaseAway: it cannot be reached and `give_up` is set.
        DatabaseError: any other error, at once.
    """
    wait = _FIRST_WAIT_S
    while True:
        try:
            return await call()
        except DatabaseAway:
            if give_up.is_set():
                raise
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):  # `wait_for` may swallow a cancellation
                await give_up.wait()
        wait = min(2 * wait, _LONGEST_WAIT_S)


def _plain(value: object) -> object:
    """Named tuples to plain ones, which is what the driver takes for a composite type."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return [_plain(item) for item in value] if isinstance(value, list) else value


async def ensure_schema(db: Database) -> None:
    """Make Procrastinate's tables where they are missing or are another version's.

    Jobs are only the queue's way of waking up: what is to be done stands in our own tables. So a schema of another
    version is thrown away and made anew, unless somebody is working with it.

    Raises:
        DatabaseRefused: workers of another version of acd are running.
        DatabaseError: as `Database.transaction`.
    """
    script = SchemaManager.get_schema()
    made_by = f"Procrastinate schema {hashlib.sha256(script.encode()).hexdigest()[:16]}"
    async with db.transaction() as transaction:
        await transaction.fetch_one("queue.lock_jobs_schema")
        found = await transaction.fetch_one("queue.jobs_schema") or {}
        if found.get("present"):
            if found["made_by"] == made_by:
                return
            await _throw_away(transaction)
        await transaction.execute_sql("CREATE SCHEMA IF NOT EXISTS acd_queue")
        await transaction.execute_sql(_SET_PATH)
        await transaction.execute_sql(script)
        await transaction.execute_sql(f"COMMENT ON SCHEMA acd_queue IS '{made_by}'")


async def _throw_away(transaction: Transaction) -> None:
    if await transaction.fetch_foreign(_WORKERS_ALIVE, {}):
        raise DatabaseRefused(
            "workers of another version of acd are using this database: stop them, then start again"
        )
    logger.warning("the job engine's tables are another version's: making them anew")
    await transaction.execute_sql("DROP SCHEMA acd_queue CASCADE")
