"""Notifications as they arrive: Apprise's json:// at a server of the test's own, sent by real runs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.program import Program
from tests.data.queue.place import Place

pytestmark = pytest.mark.extra

SECRET = "unutterable"


class Listener:
    """A server that keeps what it is sent. `status` is what it answers; `hang` lets it answer nothing."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.hang = threading.Event()
        self.closing = threading.Event()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if listener.hang.is_set():
                    listener.closing.wait(60)
                    return
                listener.received.append(json.loads(body))
                self.send_response(listener.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on the test's stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://user:{SECRET}@127.0.0.1:{self.server.server_port}/{SECRET}"

    @property
    def told(self) -> dict[str, str]:
        return {each["title"]: each["message"] for each in self.received}


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    thread = threading.Thread(target=listener.server.serve_forever)
    thread.start()
    yield listener
    listener.closing.set()
    listener.server.shutdown()
    listener.server.server_close()
    thread.join()


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


@pytest.fixture
def program(place: Place, listener: Listener) -> Program:
    program = Program(
        place.folder,
        DATABASE_URL=str(place.settings.database_url),
        ACD_QUEUE_FILE=str(place.queue),
        ACD_SCENARIO=str(place.scenario),
        ACD_FREE_SPACE_FLOOR="0",
        ACD_RETRY_BASE="0.2",
        ACD_RETRY_MAX="0.5",
        ACD_NOTIFY_URLS=listener.url,
        ACD_HOME=str(place.settings.home),
        TZ="UTC",
    )
    program.home = place.settings.home
    return program


def limit(seconds: float) -> dict[str, Any]:
    return {"steps": [{"do": "fail", "error": "usage_limit", "resets_in": seconds}]}


def test_each_kind_arrives(place: Place, program: Program, listener: Listener) -> None:
    place.repository("good", ["F1"])
    place.repository("shut", ["F1"])
    place.repository("poor", ["F1", "F2"])
    place.write_scenario(
        good={"sessions": [limit(2), {"steps": [{"do": "feature"}]}]},
        shut={"sessions": [{"steps": [{"do": "fail", "error": "auth"}]}]},
    )
    place.write_queue(
        {"id": "good", "priority": 2},
        {"id": "shut", "priority": 1},
        {"id": "poor", "priority": 0, "budget": {"target": {"sessions": 1}}},
    )
    done = program.call("run", "--no-serve")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not sent" not in done.stdout
    told = listener.told
    assert "acd: good: complete" in told, done.stdout + json.dumps(listener.received, indent=1)
    assert told["acd: good: complete"].startswith("its only feature is done\n")
    assert "tokens, $" in told["acd: good: complete"]
    assert told["acd: shut: session failed (auth)"]
    assert told["acd: shut: blocked"].startswith("auth: ")
    assert "budget of this target: 1 sessions of 1" in told["acd: poor: budget used up"]
    assert "features 1/2 (1 unverified)" in told["acd: poor: budget used up"]
    (limited,) = [body for title, body in told.items() if "limit of scripted" in title]
    assert "wait until 20" in limited
    assert listener.received[-1]["title"] == "acd: the run is over"
    last = listener.received[-1]["message"]
    assert last.startswith("Nothing is left to do: ")
    assert "shut is blocked: auth" in last
    for text in (done.stdout, done.stderr, json.dumps(listener.received)):
        assert SECRET not in text


def test_chosen_kinds_alone(place: Place, program: Program, listener: Listener) -> None:
    place.repository("shut", ["F1"])
    place.write_scenario(shut={"sessions": [{"steps": [{"do": "fail", "error": "auth"}]}]})
    place.write_queue({"id": "shut"})
    program.environment = {**program.environment, "ACD_NOTIFY_ON": "blocked"}
    program.call("run", "--no-serve")
    assert list(listener.told) == ["acd: shut: blocked"]


def test_a_server_that_hangs_does_not_delay_the_work(
    place: Place, program: Program, listener: Listener
) -> None:
    listener.hang.set()
    place.repository("shut", ["F1"])
    place.repository("good", ["F1", "F2", "F3"])
    place.write_scenario(shut={"sessions": [{"steps": [{"do": "fail", "error": "auth"}]}]})
    place.write_queue({"id": "shut", "priority": 0}, {"id": "good", "priority": 1})
    done = program.call("run", "--no-serve")
    ended = time.time()
    assert "not sent to 1 (json://…)" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    sessions = place.sessions("good")
    assert [each["status"] for each in sessions] == ["completed"] * 3
    last = max(each["finished_at"] for each in sessions).timestamp()
    # 10 s for what is left, and what it takes this machine to look around and leave.
    assert ended - last < 10 + 20
    assert not program.processes()
    place.assert_recorded()


def test_the_test_says_which_arrive(program: Program, listener: Listener) -> None:
    refused = listener.url.replace(f":{listener.server.server_port}", ":9")
    urls = f"{listener.url} {refused} nonsense://{SECRET}"
    program.environment = {**program.environment, "ACD_NOTIFY_URLS": urls}
    done = program.call("notify", "test", "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert [(one["address"], one["arrived"]) for one in found] == [
        ("1 (json://…)", True),
        ("2 (json://…)", False),
        ("3 (nonsense://…)", False),
    ]
    assert found[2]["reason"] == "Apprise does not understand this URL"
    assert found[1]["reason"]
    assert listener.told["acd: a test"]
    shown = [program.call(*words) for words in (["notify", "test"], ["doctor"], ["config"])]
    assert "3 (nonsense://…): Apprise does not understand this URL" in shown[1].stdout
    assert "ACD_NOTIFY_URLS" in shown[2].stdout
    assert "[redacted]" in shown[2].stdout
    for each in (done, *shown):
        assert SECRET not in each.stdout + each.stderr


def test_the_doctor_tells_of_what_was_not_sent(
    place: Place, program: Program, listener: Listener
) -> None:
    listener.status = 503
    place.repository("good", ["F1"])
    place.write_queue({"id": "good"})
    place.write_scenario()
    done = program.call("run", "--no-serve")
    assert "not sent to 1 (json://…)" in done.stdout
    assert "not sent at" in program.call("doctor").stdout
    listener.status = 200
    assert program.call("notify", "test").returncode == 0
    assert "not sent at" not in program.call("doctor").stdout
