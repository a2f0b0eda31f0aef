"""`acd run` while its PostgreSQL is stopped in mid-session and over the session's end: the agent does not notice."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import TextIO

import httpx
import msgspec
import pytest

from tests.acceptance.program import PATIENCE, Program, wait_for
from tests.data.queue.place import Place
from tests.integration.faults.server import OwnServer

pytestmark = pytest.mark.extra  # real runs, some seconds each


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OwnServer]:
    """A PostgreSQL of the test's own: the program knows it by DATABASE_URL only and cannot start it."""
    own = OwnServer(tmp_path / "server")
    try:
        yield own
    finally:
        own.destroy()


@pytest.fixture
def place(tmp_path: Path, server: OwnServer) -> Place:
    """One target with three features, a session each; in the first the agent waits for the database to be gone."""
    place = Place(tmp_path / "place", server.url)
    place.settings = msgspec.structs.replace(place.settings, home=place.folder / "acd")
    place.repository("shop", ["F1", "F2", "F3"])
    look = {"do": "subagent", "requests": 2, "description": "look"}
    wait = {"do": "bash", "command": f"until [ -e {gone(place)} ]; do sleep 0.05; done"}
    steps = [{"do": "say"}, look, wait, look, {"do": "feature"}]
    place.write_scenario(shop={"sessions": [{"steps": steps}]})
    place.write_queue({"id": "shop"})
    return place


def gone(place: Place) -> Path:
    """The file whose coming tells the agent that there is no database any more."""
    return place.folder / "the-database-is-gone"


class Run:
    """`acd run`, and what it has printed so far; its pipes never fill."""

    def __init__(self, program: Program) -> None:
        self.process = program.start("run", "--no-live", "--verbose")
        self.text = ""
        pipes = (self.process.stdout, self.process.stderr)
        self._threads = [Thread(target=self._read, args=(pipe,)) for pipe in pipes]
        for thread in self._threads:
            thread.start()

    def _read(self, pipe: TextIO) -> None:
        with pipe:
            for line in pipe:
                self.text += line

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait for something that comes about while it works."""
        wait_for(lambda: condition() or self.process.poll() is not None)
        assert self.process.poll() is None, self.text

    def end(self) -> None:
        """No process is left, whatever came before."""
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()


def ride_out(place: Place, server: OwnServer, seconds: float) -> None:
    program = Program(
        place.folder,
        DATABASE_URL=server.url,
        ACD_QUEUE_FILE=str(place.queue),
        ACD_SCENARIO=str(place.scenario),
        ACD_FREE_SPACE_FLOOR="0",
    )
    run = Run(program)
    try:
        run.wait_for(lambda: begun(place))
        server.stop()
        since = time.monotonic()
        gone(place).touch()
        run.wait_for(lambda: ended(place))  # unhindered: it ends while there is no database
        assert_told_to_readers(program, run.text)
        time.sleep(max(0.0, since + seconds - time.monotonic()))
        assert (begun(place), ended(place)) == (1, ["completed"])  # nothing is begun unrecorded
        server.start()
        assert run.process.wait(PATIENCE) == 0, run.text
    finally:
        run.end()
    assert "Traceback" not in run.text
    assert "database away" in run.text
    assert "database back" in run.text
    assert_recorded_once(place)
    assert program.left_behind() == []


def assert_told_to_readers(program: Program, printed: str) -> None:
    """The API and the command line say that the database is away, instead of hanging or showing nothing."""
    found = re.search(r"pages and API at (http://\S+)", printed)
    assert found, printed
    answer = httpx.get(f"{found[1]}/api/health", timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
    status = program.call("status")
    assert (status.returncode, status.stdout) == (3, "")
    assert "the database is away" in status.stderr


def assert_recorded_once(place: Place) -> None:
    own = place.agents_own
    sessions = place.sessions("shop")
    assert [(row["session_number"], row["status"]) for row in sessions] == [
        (1, "completed"),
        (2, "completed"),
        (3, "completed"),
    ]
    assert [row["features_completed"] for row in sessions] == [1, 1, 1]
    assert place.target("shop")["status"] == "complete"
    assert {str(row["id"]) for row in sessions} == set(own.sessions)
    place.assert_recorded()
    requests = place.rows("SELECT request_key FROM token_usage_details")
    assert Counter(row["request_key"] for row in requests) == Counter(
        f"scripted:{one}" for session in own.sessions.values() for one in session.message_ids
    )
    commits = place.rows("SELECT sha FROM harness_commits")
    assert sorted(row["sha"] for row in commits) == sorted(own.commits)
    assert place.rows("SELECT * FROM harness_errors") == []
    (days,) = place.rows(
        "SELECT sum(sessions_today) AS n, sum(cost_today) AS cost FROM progress_snapshots"
    )
    assert (days["n"], days["cost"]) == (3, own.sum.cost_usd)


def begun(place: Place) -> int:
    """Sessions whose agent has called a model."""
    return sum(one.sum.requests > 0 for one in place.agents_own.sessions.values())


def ended(place: Place) -> list[str]:
    """Outcomes of the sessions that the agent itself has brought to their end."""
    found = [one.expected for one in place.agents_own.sessions.values()]
    return [one.outcome for one in found if one]


def test_a_few_seconds_in_mid_session_and_over_its_end(place: Place, server: OwnServer) -> None:
    ride_out(place, server, 4)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seconds", [20, 120])
def test_for_long(place: Place, server: OwnServer, seconds: float) -> None:
    ride_out(place, server, seconds)
