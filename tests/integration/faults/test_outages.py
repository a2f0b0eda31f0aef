"""Faults 1, 2 and 4: the database away, restarted again and again, or hanging, while agents work.

No agent ever waits for it, and when it is back everything is recorded, once.
"""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from acd.core.errors import DatabaseAway
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.files.folder import SessionFolder
from acd.ledger.catch_up import Source, open_source
from acd.ledger.pending import pending_folders
from acd.ledger.price import PriceList
from acd.ledger.recorder import Recorder
from tests.integration.faults.agent import Agent, ringing, working
from tests.integration.faults.lines import NOTHING_WRONG, Ledger, compare
from tests.integration.faults.server import OwnServer
from tests.integration.faults.waiting import until, until_recorded
from tests.integration.ledger.stage import end, fingerprint, select, session_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

FIRST_GOOD = 5.0
SLACK = 10.0  # for a machine that has more to do than this test

Phase = Literal["start", "middle", "end"]


def of_own(server: OwnServer, settings: Settings) -> Settings:
    return Settings(home=settings.home, database_url=server.url)


async def until_written(agent: Agent, size: int) -> None:
    """Wait until an agent has written so many bytes more: it goes on working."""
    goal = agent.written + size

    async def enough() -> bool:
        return agent.written >= goal

    await until(enough, "the agent goes on")


async def until_away(recorder: Recorder) -> None:
    async def away() -> bool:
        return recorder.away_since is not None

    await until(away, "the recorder notices")


async def assert_whole(database: Database, settings: Settings, *ledgers: Ledger) -> None:
    """Everything told is recorded once, every session has ended, nothing waits."""
    assert await compare(database, *ledgers) == NOTHING_WRONG
    assert await select(database, "SELECT FROM harness_sessions WHERE status <> 'completed'") == []
    assert await pending_folders(database, settings) == {}


async def record_directly(folder: SessionFolder, database: Database) -> None:
    source = open_source(folder.path, database, PriceList())
    assert source is not None
    await source.catch_up()


async def work_through_outage(
    phase: Phase, seconds: float, server: OwnServer, database: Database, settings: Settings
) -> Ledger:
    """A session with an outage in it; what its agent told."""
    folder = session_of(settings, 1)
    if phase == "start":
        await asyncio.to_thread(server.stop)
    async with Recorder(database, settings) as recorder, working(folder, 1) as agent:
        async with ringing(recorder, folder):
            if phase != "start":
                await until_recorded(database, 10_000)
                await asyncio.to_thread(server.stop)
            await until_away(recorder)
            known = agent.written
            assert not await recorder.settle(0.2)
            await until_written(agent, 30_000)
            await asyncio.sleep(seconds)
            if phase == "end":
                ledger = await agent.finish()
                end(folder)
            assert recorder.away_since is not None
            await asyncio.to_thread(server.start)
            assert await until_recorded(database, known) < FIRST_GOOD + SLACK
            if phase != "end":
                ledger = await agent.finish()
                end(folder)
        recorder.ring(folder)
        assert await recorder.settle(120)
        assert recorder.away_since is None
    return ledger


@pytest.mark.parametrize(
    "seconds",
    [
        1,
        pytest.param(20, marks=pytest.mark.long),
        pytest.param(120, marks=[pytest.mark.long, pytest.mark.timeout(600)]),
    ],
)
@pytest.mark.parametrize("phase", ["start", "middle", "end"])
async def test_an_outage_holds_up_no_agent_and_loses_nothing(
    phase: Phase,
    seconds: float,
    own_server: OwnServer,
    undisturbed: Database,
    settings: Settings,
) -> None:
    async with open_database(of_own(own_server, settings), application="outage") as database:
        ledger = await work_through_outage(phase, seconds, own_server, database, settings)
        await assert_whole(database, settings, ledger)
        [folder] = [SessionFolder(path) for path in settings.sessions_dir.iterdir()]
        await record_directly(folder, undisturbed)
        assert await fingerprint(database) == await fingerprint(undisturbed)


async def test_control_a_recorder_that_trusts_its_place_loses(
    monkeypatch: pytest.MonkeyPatch, own_server: OwnServer, settings: Settings
) -> None:
    """Weakened: after an error it goes on where it was in the file, not where the database says that it is."""

    async def trusting(self: Source) -> None:
        await self._record()

    monkeypatch.setattr(Source, "catch_up", trusting)
    async with open_database(of_own(own_server, settings), application="outage") as database:
        ledger = await work_through_outage("middle", 0, own_server, database, settings)
        assert (await compare(database, ledger)).lost


@pytest.mark.parametrize("restarts", [3, pytest.param(25, marks=pytest.mark.long)])
async def test_restarts_in_a_loop_lose_nothing(
    restarts: int, own_server: OwnServer, settings: Settings
) -> None:
    folders = [session_of(settings, number) for number in (1, 2)]
    async with (
        open_database(of_own(own_server, settings), application="restarts") as database,
        Recorder(database, settings) as recorder,
        working(folders[0], 1) as first,
        working(folders[1], 2) as second,
    ):
        async with ringing(recorder, *folders):
            await until_recorded(database, 10_000)
            for number in range(restarts):
                await asyncio.to_thread(own_server.stop)
                known = first.written + second.written
                await asyncio.to_thread(own_server.start)
                if number % 3:  # else the next restart comes while it is still catching up
                    assert await until_recorded(database, known) < FIRST_GOOD + SLACK
            ledgers = [await first.finish(), await second.finish()]
        for folder in folders:
            end(folder)
            recorder.ring(folder)
        assert await recorder.settle(120)
        await assert_whole(database, settings, *ledgers)


async def test_a_database_that_hangs_holds_up_nobody(
    own_server: OwnServer, settings: Settings
) -> None:
    """Every call returns within 10 s; the recorder can be left; what hung is recorded by the next one, once."""
    folder = session_of(settings, 1)
    loop = asyncio.get_running_loop()
    async with (
        open_database(of_own(own_server, settings), application="hangs") as database,
        working(folder, 1) as agent,
    ):
        async with Recorder(database, settings) as recorder, ringing(recorder, folder):
            await until_recorded(database, 10_000)
            own_server.freeze()
            begun = loop.time()
            with pytest.raises(DatabaseAway):
                await database.fetch_all("schema.state")
            assert loop.time() - begun < 10 + SLACK
            assert not await recorder.settle(0.2)
            await until_written(agent, 30_000)
            begun = loop.time()
        assert loop.time() - begun < 10 + SLACK
        own_server.thaw()
        ledger = await agent.finish()
        end(folder)
        async with Recorder(database, settings) as recorder:
            assert (await recorder.catch_up_all()).folders == 1
            assert await recorder.settle(120)
        await assert_whole(database, settings, ledger)
