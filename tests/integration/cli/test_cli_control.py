"""The control commands against an `acd run` of its own process, over the database and over its server."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.queue.place import Place
from tests.integration.cli.test_cli_working import place, read_until, started

__all__ = ["place"]
pytestmark = pytest.mark.extra

Program = Callable[..., subprocess.CompletedProcess[str]]
LONG = {"sessions": [{"steps": [{"do": "say"}, {"do": "sleep", "seconds": 90}]}]}
REFUSED = {"steps": [{"do": "fail", "error": "auth"}]}
FEATURE = {"steps": [{"do": "feature"}]}


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def running(place: Place, repo_id: str) -> bool:
    return [row["status"] for row in place.sessions(repo_id)][-1:] == ["running"]


@pytest.fixture(params=["database", "server"])
def there(request: pytest.FixtureRequest) -> str:
    """How the commands reach the run."""
    return str(request.param)


@pytest.mark.timeout(240)
def test_each_command_reaches_a_run(
    acd: Program, place: Place, environment: dict[str, str], there: str, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        place.repository(name, ["F1"])
    place.write_scenario(
        a={"sessions": [REFUSED, REFUSED, FEATURE]}, b={"sessions": [*LONG["sessions"], FEATURE]}
    )
    place.write_queue({"id": "a", "priority": 1}, {"id": "b"})
    with started(environment, "run", "--no-live") as run:
        address = re.search(r"http://\S+", read_until(run, "pages and API at"))
        assert address
        more = {"ACD_URL": address[0]} if there == "server" else {}
        blocked = "SELECT 1 FROM targets WHERE repo_id = 'a' AND status = 'blocked'"
        until(lambda: place.rows(blocked) and running(place, "b"))

        done = acd("unblock", "a", **more)
        assert (done.returncode, done.stdout.split(":")[0]) == (0, "a is active")
        assert acd("pause", **more).stdout.startswith("Paused")
        assert json.loads(acd("pause", "--json", **more).stdout)["state"] == "paused"

        done = acd("stop", "b#1", **more)
        assert (done.returncode, done.stderr) == (0, "")
        until(lambda: place.sessions("b")[0]["status"] == "failed")
        assert len(place.sessions("a")) == 1, "the queue is paused"
        assert acd("resume", **more).stdout.startswith("Resumed")
        until(lambda: place.target("b")["status"] == "complete")
        until(lambda: len(place.sessions("a")) == 2 and place.target("a")["status"] == "blocked")
        assert run.wait(60) == 1
    done = acd("unblock", "a")
    assert "Nobody works the queue now" in done.stdout
    assert json.loads(acd("retry", "a", "--json").stdout)["repoId"] == "a"


@pytest.mark.parametrize("order", ["drain", "stop"])
def test_a_run_is_ended(
    acd: Program, place: Place, environment: dict[str, str], order: str
) -> None:
    place.repository("a", ["F1", "F2"])
    nap = {
        "sessions": [{"steps": [{"do": "say"}, {"do": "sleep", "seconds": 4}, *FEATURE["steps"]]}]
    }
    place.write_scenario(a=nap)
    place.write_queue({"id": "a"})
    with started(environment, "run", "--no-live", "--no-serve") as run:
        until(lambda: running(place, "a"))
        assert acd(order).returncode == 0
        assert run.wait(60) == 130
    (session,) = place.sessions("a")
    assert session["status"] == {"drain": "completed", "stop": "failed"}[order]


def test_a_pause_is_shown(acd: Program, place: Place) -> None:
    place.repository("a", ["F1"])
    place.write_queue({"id": "a"})
    assert acd("sync").returncode == 0
    assert acd("pause").returncode == 0
    assert re.match(r"Paused at [0-9:]{8}: .*`acd resume`\.\n\nTarget", acd("status").stdout)
    assert json.loads(acd("status", "--json").stdout)["order"]["state"] == "paused"
    assert "paused" in acd("run", "--dry-run").stdout
    assert acd("resume").returncode == 0
    assert acd("status").stdout.startswith("Target")
    assert "paused" not in acd("run", "--dry-run").stdout
    assert acd("drain").returncode == 0
    assert acd("status").stdout.startswith("Target"), "nobody is there to drain"


def test_a_feature_is_left_out_and_taken_in_again(acd: Program, place: Place) -> None:
    place.repository("a", ["F1", "F2"])
    obeys = {"steps": [{"do": "feature", "key": "F2"}]}
    place.write_scenario(a={"sessions": [obeys, FEATURE]})
    place.write_queue({"id": "a"})
    assert acd("sync").returncode == 0
    assert "F1 of a is left out" in acd("skip", "a", "F1").stdout
    assert acd("run", "--no-serve", "--no-live").returncode == 0
    passing = "SELECT feature_key FROM target_features WHERE passes"
    assert place.rows(passing) == [{"feature_key": "F2"}]
    assert acd("skip", "a", "F1", "--undo").stdout.startswith("F1 of a is not left out: it is ")
    assert acd("run", "--no-serve", "--no-live").returncode == 0
    assert place.target("a")["status"] == "complete"
    assert len(place.rows(passing)) == 2
    for command in ("unblock", "retry"):
        assert acd(command, "a").stderr.endswith("there is nothing left to do.\n"), command
    for line in ("skip a F9", "skip a F2", "skip nobody F1"):
        done = acd(*line.split())
        assert (done.returncode, done.stdout) == (1, ""), line


def test_what_cannot_be_done_is_said(acd: Program, place: Place) -> None:
    place.repository("a", ["F1"])
    place.write_queue({"id": "a"})
    assert acd("sync").returncode == 0
    for line, status, words in (
        ("unblock a", 1, "is not blocked"),
        ("retry nobody", 1, "No target has the id 'nobody'"),
        ("stop nothing", 1, "there is no session 'nothing'"),
        ("unblock", 2, "--all"),
        ("unblock a --all", 2, "--all"),
        ("retry", 2, "TARGET"),
    ):
        done = acd(*line.split())
        assert (done.returncode, done.stdout) == (status, ""), line
        assert words in done.stderr, line
    assert acd("unblock", "--all").stdout == "No target is blocked.\n"
    assert acd("unblock", "--all", "--json").stdout == "[]\n"
