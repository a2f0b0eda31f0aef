"""Runs that are interrupted: killed at any moment, told to end, cut off from the database. Nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import psutil
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.database.embedded import EmbeddedServer
from acd.queue.ending import Ending
from acd.queue.orchestrator import RunOptions, RunResult, work_queue
from tests.data.queue.place import Place, Seen

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

DRIVER = """
import asyncio, json, sys
import msgspec
from acd.core.environment import load_settings
from acd.database.connection import open_database
from acd.queue.observer import LogObserver
from acd.queue.orchestrator import RunOptions, work_queue

async def main():
    settings = load_settings(**json.loads(sys.argv[1]))
    async with open_database(settings, application="driver") as db:
        result = await work_queue(db, settings, RunOptions(concurrency=2), observer=LogObserver())
    print(msgspec.json.encode(result).decode(), flush=True)

asyncio.run(main())
"""
NAP = {"do": "sleep", "seconds": 2}
WORK = {"do": "feature"}


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


@asynccontextmanager
async def driver(place: Place) -> AsyncIterator[asyncio.subprocess.Process]:
    """A run of the queue in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        DRIVER,
        json.dumps(place.changed_settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run(database: Database, place: Place, ending: Ending | None = None) -> RunResult:
    options = RunOptions(concurrency=2)
    return await work_queue(database, place.settings, options, observer=Seen(), ending=ending)


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def agents(place: Place) -> list[psutil.Process]:
    """Scripted agents of this place that are alive."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(place.scenario) in process.cmdline() and process.is_running():
                found.append(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def begun(place: Place) -> int:
    return sum(each.begun is not None for each in place.agents_own.sessions.values())


async def test_a_run_killed_in_mid_session_is_taken_over_by_the_next(
    database: Database, place: Place
) -> None:
    place.repository("a", ["F1", "F2"])
    place.write_scenario(a={"sessions": [{"steps": [{"do": "say"}, NAP, WORK]}]})
    place.write_queue({"id": "a"})
    async with driver(place) as process:
        await until(lambda: begun(place))
        process.kill()
        await process.wait()
    assert len(agents(place)) == 1
    result = await run(database, place)
    assert result.ended_by == "done"
    sessions = place.sessions("a")
    assert [s["status"] for s in sessions] == ["completed", "completed"]
    assert place.target("a")["status"] == "complete"
    assert agents(place) == []
    place.assert_recorded()


async def test_a_run_and_its_agent_killed_are_closed_and_worked_again(
    database: Database, place: Place
) -> None:
    place.repository("a", ["F1"])
    place.write_scenario(
        a={"sessions": [{"steps": [{"do": "say"}, NAP, NAP, WORK]}, {"steps": [WORK]}]}
    )
    place.write_queue({"id": "a"})
    async with driver(place) as process:
        await until(lambda: begun(place))
        process.kill()
        await process.wait()
    for agent in agents(place):
        agent.kill()
    await until(lambda: not agents(place))
    await run(database, place)
    assert [(s["status"], s["error_type"]) for s in place.sessions("a")] == [
        ("failed", "interrupted"),
        ("completed", None),
    ]
    place.assert_recorded()


async def kill_again_and_again(
    database: Database, place: Place, kills: int, features: int, seed: int
) -> None:
    """Kill runs at seeded moments until `kills` are dead; the next one finishes the work."""
    rng = random.Random(seed)
    for name in ("a", "b", "c"):
        place.repository(name, [f"F{n}" for n in range(features)])
    nap = {"do": "sleep", "seconds": 0.5}
    plans = {"sessions": [{"steps": [{"do": "say"}, nap, WORK, nap]}]}
    place.write_scenario(a=plans, b=plans, c=plans)
    place.write_queue(*({"id": name, "maxSessionsPerRepo": 999} for name in ("a", "b", "c")))
    for _ in range(kills):
        async with driver(place) as process:
            seconds = rng.uniform(0.5, 4.0)
            with pytest.raises(TimeoutError):  # it is not done yet: there was something to kill
                await asyncio.wait_for(process.wait(), seconds)
            process.kill()
            assert len(agents(place)) <= 3  # never two on one target
    result = await run(database, place)
    assert {end.status for end in result.targets} == {"complete"}
    assert agents(place) == []
    place.assert_recorded()
    commits = {row["sha"] for row in place.rows("SELECT sha FROM harness_commits")}
    assert commits >= set(place.agents_own.commits)


async def test_runs_killed_at_seeded_moments(database: Database, place: Place) -> None:
    await kill_again_and_again(database, place, kills=3, features=4, seed=1)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(3))
async def test_runs_killed_twenty_times(database: Database, place: Place, seed: int) -> None:
    await kill_again_and_again(database, place, kills=20, features=30, seed=seed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_a_run_in_order(place: Place, number: signal.Signals) -> None:
    place.repository("a", ["F1"])
    place.write_scenario(
        a={"sessions": [{"steps": [{"do": "say"}, {"do": "sleep", "seconds": 90}]}]}
    )
    place.write_queue({"id": "a"})
    async with driver(place) as process:
        await until(lambda: begun(place))
        began = time.monotonic()
        process.send_signal(number)
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert time.monotonic() - began < 20
    assert process.returncode == 0
    result = json.loads(output)
    assert (result["ended_by"], result["failed"], result["recorded"]) == ("stopped", 1, True)
    assert [s["error_type"] for s in place.sessions("a")] == ["interrupted"]
    assert agents(place) == []


async def test_two_signals_end_it_at_once(place: Place) -> None:
    place.repository("a", ["F1"])
    hang = {"do": "hang", "ignore_signals": True}
    place.write_scenario(a={"sessions": [{"steps": [{"do": "say"}, hang]}]})
    place.write_queue({"id": "a"})
    place.settings = msgspec.structs.replace(place.settings, terminate_grace=60)
    async with driver(place) as process:
        await until(lambda: any(each.expected for each in place.agents_own.sessions.values()))
        process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.5)  # two presses of Ctrl-C are never at the same instant
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 30)
    assert time.monotonic() - began < 10
    assert agents(place) == []


class Outage:
    """A PostgreSQL server of this test's own, which it can stop."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedServer(Settings(home=folder))
        self.server.attach()
        self.up = True
        self.url = self.server.places.url("postgres")

    def stop(self) -> None:
        self.server.leave()
        self.up = False

    def start(self) -> None:
        self.server.attach()
        self.up = True


@pytest.fixture
def outage(tmp_path: Path) -> Iterator[Outage]:
    own = Outage(tmp_path / "server")
    yield own
    if own.up:
        own.stop()


async def ride_out(outage: Outage, tmp_path: Path, seconds: float) -> None:
    """The database goes away in mid-session and stays away over its end; then the next session is worked."""
    place = Place(tmp_path / "place", outage.url)
    place.repository("a", ["F1", "F2"])
    work = {"steps": [{"do": "say"}, {"do": "sleep", "seconds": min(seconds / 2, 10)}, WORK]}
    place.write_scenario(a={"sessions": [work]})
    place.write_queue({"id": "a"})
    async with open_database(place.settings, application="test") as database:
        running = asyncio.create_task(run(database, place))
        await until(lambda: begun(place))
        outage.stop()
        await asyncio.sleep(seconds)
        assert begun(place) == 1  # no new session is claimed meanwhile
        ended = [each.expected for each in place.agents_own.sessions.values()]
        assert [end.outcome for end in ended if end] == ["completed"]  # it was not held up
        outage.start()
        result = await asyncio.wait_for(running, 60)
    assert (result.completed, result.failed, result.recorded) == (2, 0, True)
    assert [end.status for end in result.targets] == ["complete"]
    place.assert_recorded()


async def test_a_database_that_is_away_over_the_end_of_a_session(
    outage: Outage, tmp_path: Path
) -> None:
    await ride_out(outage, tmp_path, 6)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds", [20, 120])
async def test_a_database_that_is_away_for_long(
    outage: Outage, tmp_path: Path, seconds: float
) -> None:
    await ride_out(outage, tmp_path, seconds)


async def test_an_orderly_end_while_the_database_is_away(outage: Outage, tmp_path: Path) -> None:
    place = Place(tmp_path / "place", outage.url)
    place.repository("a", ["F1"])
    place.write_scenario(
        a={
            "sessions": [
                {"steps": [{"do": "say"}, {"do": "sleep", "seconds": 90}]},
                {"steps": [WORK]},
            ]
        }
    )
    place.write_queue({"id": "a"})
    async with open_database(place.settings, application="test") as database:
        ending = Ending()
        running = asyncio.create_task(run(database, place, ending))
        await until(lambda: begun(place))
        outage.stop()
        began = time.monotonic()
        ending.stop()
        result = await running
        assert time.monotonic() - began < 25
        assert (result.ended_by, result.failed, result.recorded) == ("stopped", 1, False)
        assert agents(place) == []
        outage.start()
        result = await run(database, place)
        assert (result.completed, result.recorded) == (1, True)
    assert [s["error_type"] for s in place.sessions("a")] == ["interrupted", None]
    place.assert_recorded()
