"""Fault 16: the postmaster is killed with -9. What the recorder has called recorded stays, and it soon goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.database.embedded import EmbeddedServer
from acd.database.maintenance import remove_embedded
from acd.ledger.recorder import Recorder
from tests.integration.faults.agent import ringing, working
from tests.integration.faults.lines import NOTHING_WRONG, Teller, compare
from tests.integration.faults.server import OwnServer
from tests.integration.faults.waiting import recorded, until, until_recorded
from tests.integration.ledger.stage import end, rows_of, session_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

BACK = 15.0
DEADLINE = 120.0


@pytest.fixture
def embedded(settings: Settings) -> Iterator[EmbeddedServer]:
    """The embedded server of `settings.home`, whoever starts it; it is removed in the end."""
    server = EmbeddedServer(settings)
    yield server
    remove_embedded(server)


def kill_postmaster(server: EmbeddedServer) -> int:
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


async def until_other(server: EmbeddedServer, pid: int) -> None:
    async def other() -> bool:
        return server.status().pid not in (None, pid)

    await until(other, "another postmaster")


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.long)])
async def test_a_killed_postmaster_loses_nothing(
    kills: int, settings: Settings, embedded: EmbeddedServer
) -> None:
    folder = session_of(settings, 1)
    async with (
        open_database(settings, application="killed") as database,
        Recorder(database, settings) as recorder,
        working(folder, 1) as agent,
    ):
        async with ringing(recorder, folder):
            for _ in range(kills):
                await until_recorded(database, await recorded(database) + 10_000)
                acknowledged = await marks(database)
                pid = kill_postmaster(embedded)
                written = agent.written
                await until_other(embedded, pid)
                assert await until_recorded(database, written) < BACK
                assert acknowledged <= await marks(database)
            ledger = await agent.finish()
        end(folder)
        recorder.ring(folder)
        assert await recorder.settle(DEADLINE)
        assert await compare(database, ledger) == NOTHING_WRONG


async def marks(database: Database) -> Counter[str]:
    return Counter(row["text"] for row in await rows_of(database, "session_events"))


@pytest.mark.parametrize("synchronous", [True, False])
async def test_what_settled_is_on_disk(
    synchronous: bool, own_server: OwnServer, settings: Settings
) -> None:
    """Every process killed at once, and nobody records again. The control commits without waiting for the disk."""
    of_own = Settings(home=settings.home, database_url=own_server.url)
    teller = Teller(1, seed=13)
    async with open_database(of_own, application="settled") as database:
        if not synchronous:
            await commit_lazily(database)
    async with (
        open_database(of_own, application="settled") as database,
        Recorder(database, settings) as recorder,
    ):
        folder = session_of(settings, 1)
        folder.stream.write_bytes(b"".join(teller.line() for _ in range(500)))
        recorder.ring(folder)
        assert await recorder.settle(DEADLINE)
        await asyncio.to_thread(own_server.kill_all)
    await asyncio.to_thread(own_server.start)
    async with open_database(of_own, application="settled") as database:
        findings = await compare(database, teller.ledger)
    assert (findings == NOTHING_WRONG) == synchronous
    assert bool(findings.lost) != synchronous


async def commit_lazily(database: Database) -> None:
    """The setting of the next connections; a statement about the whole server stands in no transaction."""
    async with database._pool.lease(asyncio.get_running_loop().time() + 10) as connection:
        await connection.execute("ALTER DATABASE acd_database SET synchronous_commit TO off")
        await connection.execute("ALTER SYSTEM SET wal_writer_delay TO '10s'")
        await connection.execute("SELECT pg_reload_conf()")
