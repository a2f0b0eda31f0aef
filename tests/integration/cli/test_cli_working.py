"""`acd run`, `worker`, `serve` and `sync` as processes, with the scripted agent."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from acd.core.settings import Settings
from acd.harness.environment import MARK
from acd.metrics_db import MetricsDb
from tests.data.queue.place import Place

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

Program = Callable[..., subprocess.CompletedProcess[str]]
FOREVER = {"sessions": [{"steps": [{"do": "sleep", "seconds": 300}]}]}
REFUSED = {"sessions": [{"steps": [{"do": "fail", "error": "auth"}]}]}


@pytest.fixture
def place(tmp_path: Path, database_url: str, environment: dict[str, str]) -> Place:
    place = Place(tmp_path, database_url)
    environment |= {
        "ACD_SCENARIO": str(place.scenario),
        "ACD_RETRY_BASE": "0.2",
        "ACD_RETRY_MAX": "0.5",
        "ACD_TERMINATE_GRACE": "5",
        "ACD_FREE_SPACE_FLOOR": "0",
    }
    return place


@contextmanager
def started(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The program, running; whatever the test does, it is gone afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "acd", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    try:
        with process:
            yield process
    finally:
        if process.poll() is None:
            process.kill()


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """The output up to the line that holds `word`; the test's time limit ends a wait in vain."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError(f"{word!r} never came:\n{''.join(lines)}")


def agents_of(place: Place) -> list[psutil.Process]:
    """Living processes of this place's sessions."""
    folder = place.settings.sessions_dir
    ids = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    found = psutil.process_iter(["environ", "status"])
    return [
        one
        for one in found
        if (one.info["environ"] or {}).get(MARK) in ids
        and one.info["status"] != psutil.STATUS_ZOMBIE
    ]


def test_a_queue_is_worked_to_its_end(program: Program, acd: Program, place: Place) -> None:
    place.repository("two", ["F1", "F2"])
    place.repository("new", None)
    place.write_scenario(new={"features": [{"id": "N1", "name": "One", "passes": False}]})
    place.write_queue({"id": "two"}, {"id": "new", "complexity": "low"}, {"id": "bad", "path": 5})
    done = program("run", "--concurrency", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    place.assert_recorded()
    cost = sum(
        float(row["cost_usd"]) for row in place.rows("SELECT cost_usd FROM harness_sessions")
    )
    last = done.stdout.splitlines()[-1]
    assert last.startswith("Nothing is left to do: 4 sessions, features +")
    assert last.endswith(f"${cost:.4f}.")
    assert "http://127.0.0.1:" in done.stdout
    assert "repos[2] (bad)" in done.stdout
    assert re.search(r"two #2 completed in .*\(2/2 unverified\), \d commit", done.stdout)
    assert "new #1 starts (initializer, haiku)" in done.stdout
    assert done.stderr == ""
    status = acd("status")
    assert "2 of 2 targets complete" in status.stdout
    again = program("run", "--no-serve")
    assert again.returncode == 0
    assert "http://" not in again.stdout
    assert "0 sessions" in again.stdout


@pytest.mark.extra
def test_what_is_blocked_is_told_with_its_reason(
    program: Program, acd: Program, place: Place
) -> None:
    place.repository("shut", ["F1"])
    place.write_scenario(shut=REFUSED)
    place.write_queue({"id": "shut"})
    done = program("run", "--no-serve")
    assert done.returncode == 1
    assert "shut is blocked: auth" in done.stdout
    status = acd("status")
    assert "shut is blocked: auth" in status.stdout
    assert acd("errors", "--type", "auth").stdout.count("shut") == 1


def test_a_dry_run_changes_nothing(acd: Program, place: Place) -> None:
    place.repository("one", ["F1"])
    place.write_scenario()
    place.write_queue(
        {"id": "one", "complexity": "high"}, {"id": "gone"}, {"id": "off", "enabled": False}
    )
    done = acd("run", "--dry-run", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()[1:4]}
    assert lines["one"].split()[1:3] == ["coding", "opus"]
    assert "blocked" in lines["gone"]
    assert "nothing" in lines["off"]
    rows = {row["repoId"]: row for row in json.loads(acd("run", "--dry-run", "--json").stdout)}
    assert (rows["one"]["step"], rows["one"]["sessionType"], rows["one"]["model"]) == (
        "work",
        "coding",
        "opus",
    )
    assert rows["gone"]["step"] == "stop"
    assert place.rows("SELECT 1 FROM targets") == []
    assert not place.settings.sessions_dir.exists()


@pytest.mark.extra
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_sessions_in_order(
    environment: dict[str, str], place: Place, number: signal.Signals
) -> None:
    place.repository("long", ["F1"])
    place.write_scenario(long=FOREVER)
    place.write_queue({"id": "long"})
    with started(environment, "run", "--no-serve") as process:
        read_until(process, "long #1 starts")
        process.send_signal(number)
        said = read_until(process, "Stopped:")
        assert process.wait(30) == 130
    assert "ending sessions in order" in said
    assert "interrupted" in said
    assert agents_of(place) == []
    place.assert_recorded()
    (row,) = place.sessions("long")
    assert (row["status"], row["error_type"]) == ("failed", "interrupted")


def test_a_session_that_a_second_signal_leaves_open_is_named(
    environment: dict[str, str], place: Place
) -> None:
    place.repository("long", ["F1"])
    place.write_scenario(long=FOREVER)
    place.write_queue({"id": "long"})
    with started(environment, "run", "--no-serve") as process:
        read_until(process, "long #1 starts")
        process.send_signal(signal.SIGINT)
        read_until(process, "ending sessions in order")
        process.send_signal(signal.SIGINT)
        assert process.stdout
        said = process.stdout.read()
        assert process.wait(30) == 130
    assert agents_of(place) == []
    closed = [row for row in place.sessions("long") if row["status"] != "running"]
    assert ("long #1 was left before it could be closed" in said) == (not closed), said


@pytest.mark.extra
def test_a_live_view_shows_what_works(environment: dict[str, str], place: Place) -> None:
    place.repository("long", ["F1", "F2"])
    steps = [{"do": "feature"}, {"do": "sleep", "seconds": 300}]
    place.write_scenario(long={"sessions": [{"steps": steps}]})
    place.write_queue({"id": "long"})
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "acd", "run", "--no-serve"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
        start_new_session=True,
    ) as process:
        os.close(theirs)
        seen = _read_terminal(ours, lambda text: "1/2 unverified" in text and "Bash" in text)
        process.send_signal(signal.SIGINT)
        seen += _read_terminal(ours, lambda text: "Stopped:" in text)
        assert process.wait(30) == 130
    os.close(ours)
    assert re.search(r"long #1\s+\S*sonnet", seen)
    assert "1 working, 0 waiting" in seen
    assert "Ctrl-C ends in order" in seen
    assert "ending sessions in order" in seen


def _read_terminal(terminal: int, enough: Callable[[str], bool]) -> str:
    """What is shown, without its colours, until it is enough or over."""
    seen = b""
    text = ""
    while not enough(text):
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        seen += part
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode(errors="replace"))
    return text


@pytest.mark.extra
def test_a_taken_port_stops_no_session(program: Program, place: Place) -> None:
    place.repository("one", ["F1"])
    place.write_scenario()
    place.write_queue({"id": "one"})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = program("run", BACKEND_PORT=str(port))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"port {port} is taken by" in done.stdout
    assert "1 session," in done.stdout


def test_a_worker_stays_until_it_is_stopped(environment: dict[str, str], place: Place) -> None:
    with started(environment, "worker") as process:
        read_until(process, "working what others queue")
        process.send_signal(signal.SIGTERM)
        read_until(process, "Stopped: 0 sessions")
        assert process.wait(30) == 130


def test_the_server_alone(environment: dict[str, str], place: Place) -> None:
    with started(environment, "serve") as process:
        said = read_until(process, "http://127.0.0.1:")
        address = re.search(r"http://\S+", said)
        assert address is not None
        with urllib.request.urlopen(f"{address[0]}/api/health") as answer:  # noqa: S310 - loopback
            assert json.load(answer)["ledger"]["pending"] == 0
        process.send_signal(signal.SIGTERM)
        read_until(process, "Stopped.")
        assert process.wait(30) == 0


def test_sync_brings_targets_features_and_waiting_sessions(acd: Program, place: Place) -> None:
    place.repository("one", ["F1", "F2"])
    place.write_queue({"id": "one"}, {"id": "bad", "path": ""})
    away = Settings(
        home=place.settings.home, database_url="postgresql://nobody@127.0.0.1:1/nothing"
    )
    metrics = MetricsDb(away)
    session = metrics.start_session("one", 1, "coding", "sonnet")
    metrics.end_session(session.id, input_tokens=1200, cost_usd="0.0123")
    assert "Not recorded yet" in acd("status").stdout
    done = acd("sync")
    assert done.returncode == 0, done.stderr
    assert "1 target in the queue file: 1 added" in done.stdout
    assert "repos[1] (bad)" in done.stdout
    assert "1 feature list read" in done.stdout
    assert re.search(r"Recorded [\d,]+ bytes that waited in 1 folder", done.stdout)
    (row,) = place.sessions("one")
    assert (row["input_tokens"], str(row["cost_usd"])) == (1200, "0.0123")
    again = json.loads(acd("sync", "--all", "--json").stdout)
    assert (again["recordedFolders"], again["leftFolders"]) == (0, 0)
    assert again["summary"]["added"] == again["summary"]["changed"] == 0
    assert "Not recorded yet" not in acd("status").stdout


def test_sync_names_what_it_cannot_record_and_why(acd: Program, place: Place) -> None:
    """A folder that cannot be read is passed over by the recorder; that is no reason to call it recorded."""
    metrics = MetricsDb(
        Settings(home=place.settings.home, database_url="postgresql://nobody@127.0.0.1:1/nothing")
    )
    broken, whole = (metrics.start_session("one", n, "coding", "sonnet") for n in (1, 2))
    for session in (broken, whole):
        metrics.end_session(session.id)
    folder = place.settings.sessions_dir / str(broken.id)
    (folder / "journal.jsonl").rename(folder / "kept")
    (folder / "journal.jsonl").mkdir()
    done = acd("sync", ACD_QUEUE_FILE="")
    assert done.returncode == 1, done.stdout
    assert "1 folder could not be recorded" in done.stdout
    assert "Is a directory" in " ".join(done.stdout.split())
    left = json.loads(acd("sync", "--json", ACD_QUEUE_FILE="").stdout)
    assert [one["folder"] for one in left["left"]] == [str(folder)]
    assert left["leftFolders"] == 1
    assert len(place.sessions("one")) == 1

    (folder / "journal.jsonl").rmdir()
    (folder / "kept").rename(folder / "journal.jsonl")
    assert acd("sync", ACD_QUEUE_FILE="").returncode == 0
    assert len(place.sessions("one")) == 2


def test_sync_without_a_queue_file_keeps_the_targets(acd: Program, tmp_path: Path) -> None:
    done = acd("sync", ACD_QUEUE_FILE="")
    assert done.returncode == 0, done.stderr
    assert "There is no queue file" in done.stdout
    named = acd("sync", "--queue", str(tmp_path / "none.json"))
    assert named.returncode == 1
    assert "none.json" in named.stderr
