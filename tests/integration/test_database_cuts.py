"""Connections cut before, in and after COMMIT and inside COPY: keyed rows are stored once, all of them.

A caller cannot know whether a transaction was committed when its connection is cut; so it repeats it. The table without
a key is the control: there the repetition shows, which proves that cuts hit after COMMIT too.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict

from acd.core.errors import DatabaseAway
from acd.core.settings import Settings
from acd.database.connection import Database, open_database

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

ROWS = 20
# The server's answers to starting a session take about 1 kB, a batch a few hundred bytes more.
SHORTEST, LONGEST = 900, 2600


class Cutter:
    """Passes connections on to PostgreSQL and cuts each after a random number of bytes of the server's answers."""

    def __init__(self, upstream: str, seed: int) -> None:
        found = conninfo_to_dict(upstream)
        self._host, self._port = str(found["host"]), str(found.get("port", "5432"))
        self._random = random.Random(seed)
        self._serving: set[asyncio.Task[None]] = set()
        self.cuts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._serving.add(task)
        try:
            await self._pass_on(reader, writer)
        finally:
            self._serving.discard(task)
            writer.transport.abort()

    async def end(self) -> None:
        """Wait until every connection is gone: `Server.wait_closed` of 3.11 does not."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close at the loop's next turn

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._dial()
        left = self._random.randrange(SHORTEST, LONGEST)
        there = asyncio.create_task(pump(reader, far_writer))
        try:
            while chunk := await far_reader.read(left):
                writer.write(chunk)
                left -= len(chunk)
                if left <= 0:
                    self.cuts += 1
                    break
        finally:
            there.cancel()
            await asyncio.gather(there, return_exceptions=True)
            far_writer.transport.abort()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
        return await asyncio.open_connection(self._host, int(self._port))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)


@asynccontextmanager
async def cutting(url: str, seed: int) -> AsyncIterator[tuple[Cutter, str]]:
    cutter = Cutter(url, seed)
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = conninfo_to_dict(url)
    parts = urlsplit(url)._replace(netloc=f"{found['user']}@127.0.0.1:{port}", query="")
    try:
        yield cutter, urlunsplit(parts)
    finally:
        server.close()
        await cutter.end()
        await server.wait_closed()


@contextmanager
def two_tables(url: str) -> Iterator[None]:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE keyed (batch int8, row int8, PRIMARY KEY (batch, row))")
        connection.execute("CREATE TABLE unkeyed (batch int8, row int8)")
    yield


async def write(database: Database, batch: int) -> None:
    async with database.transaction() as transaction:
        await transaction.execute_sql(
            "CREATE TEMP TABLE incoming (batch int8, row int8) ON COMMIT DROP"
        )
        rows = [(batch, row) for row in range(ROWS)]
        await transaction.copy("incoming", ["batch", "row"], rows, types=["int8", "int8"])
        await transaction.execute_sql("INSERT INTO unkeyed SELECT * FROM incoming")
        await transaction.execute_sql(
            "INSERT INTO keyed SELECT * FROM incoming ON CONFLICT DO NOTHING"
        )


@pytest.mark.parametrize(
    "cuts", [60, pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
async def test_cut_connections_lose_and_double_nothing(
    database_settings: Settings, cuts: int
) -> None:
    url = database_settings.database_url
    assert url
    with two_tables(url):
        async with cutting(url, seed=cuts) as (cutter, proxied):
            given = replace(database_settings, database_url=proxied)
            batches = await write_until(given, cutter, cuts)
        async with open_database(database_settings, application="test") as database:
            await write(
                database, batches
            )  # the last one was not acknowledged: stored or not, again
            batches += 1
        with psycopg.connect(url) as connection:
            keyed = connection.execute(
                "SELECT count(*), count(DISTINCT batch) FROM keyed"
            ).fetchone()
            unkeyed = connection.execute("SELECT count(*) FROM unkeyed").fetchone()
    assert keyed == (batches * ROWS, batches)
    assert unkeyed
    assert unkeyed[0] > batches * ROWS, (
        "the control: no cut came after a COMMIT, so nothing was shown"
    )


async def write_until(settings: Settings, cutter: Cutter, cuts: int) -> int:
    """Write batch after batch, each until it is acknowledged; how many there were."""
    batch = 0
    while cutter.cuts < cuts:
        try:
            async with open_database(settings, application="test") as database:
                while cutter.cuts < cuts:
                    await write(database, batch)
                    batch += 1
        except DatabaseAway:
            continue
    return batch
