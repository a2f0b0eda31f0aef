"""OpenCode's database and older documents: real ones with figures worked out by hand, forks, subagents, damage."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acd.agents.history import Entry
from acd.agents.opencode import HISTORY
from acd.core.errors import UnreadableLine
from acd.core.events import AgentFailed, AgentStarted, RequestSeen, TextSaid, ToolEnded
from acd.core.models import Usage
from acd.core.settings import Settings

FOLDER = Path(__file__).parent.parent / "data" / "opencode"
SESSION, FORK = "ses_df251d8aaffew5NsMEB2TmcZ9L", "ses_df250832cffeOI81U1ALAgi3um"
BORN = 1_772_359_200_000  # 2026-03-01 10:00 UTC

SCHEMA = """
create table session (
    id text primary key, parent_id text, directory text, version text, time_created integer
);
create table message (id text primary key, session_id text, time_updated integer, data text);
create table part (id text primary key, message_id text, data text);
"""


def requests(entries: Iterable[Entry]) -> list[RequestSeen]:
    return [e for entry in entries for e in entry.events if isinstance(e, RequestSeen)]


def entries(root: Path, after: str = "", *, told: bool = False) -> list[Entry]:
    files = list(HISTORY.files(root))
    return [entry for file in files for entry in HISTORY.entries(file, after, told=told)]


def tokens(
    given: int, out: int, reasoning: int = 0, read: int = 0, write: int = 0
) -> dict[str, Any]:
    cache = {"read": read, "write": write}
    return {"input": given, "output": out, "reasoning": reasoning, "cache": cache}


def message(made: int, spent: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    return {
        "role": "assistant",
        "time": {"created": BORN + made},
        "providerID": "openai",
        "modelID": "gpt-5.1",
        "tokens": spent or tokens(100, 30, 20, 600, 50),
        **more,
    }


class Store:
    """A database as OpenCode lays it out, with the columns that are read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "opencode.db"
        with closing(sqlite3.connect(self.path)) as database:
            database.executescript(SCHEMA)

    def put(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute(statement, values)

    def session(self, name: str, parent: str | None = None, made: int = 0) -> None:
        row = (name, parent, "/work/shop", "1.18.33", BORN + made)
        self.put("insert into session values (?, ?, ?, ?, ?)", *row)

    def message(self, name: str, session: str, data: object, updated: int = 0) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        self.put("insert or replace into message values (?, ?, ?, ?)", name, session, updated, text)

    def part(self, name: str, of: str, **data: object) -> None:
        self.put("insert into part values (?, ?, ?)", name, of, json.dumps(data))


def test_a_real_session_and_its_fork_to_the_token() -> None:
    found = entries(FOLDER)
    own = requests(entry for entry in found if entry.agent_session_id == SESSION)
    # What the endpoint answered: fresh input, output, cached, reasoning.
    assert [event.usage for event in own] == [
        Usage(input_tokens=101, output_tokens=20, cache_read_tokens=1001, reasoning_tokens=5),
        Usage(input_tokens=103, output_tokens=30, cache_read_tokens=2003, reasoning_tokens=5),
        Usage(input_tokens=105, output_tokens=40, cache_read_tokens=3005, reasoning_tokens=5),
        Usage(input_tokens=105, output_tokens=40, cache_read_tokens=3005, reasoning_tokens=5),
    ]
    assert [event.tools for event in own] == [["bash"], ["bash"], [], []]
    assert {event.model for event in own} == {"gpt-5.1"}
    # The fork repeats all four under other ids and later times, and adds one request of its own.
    fork = requests(entry for entry in found if entry.agent_session_id == FORK)
    assert [event.request_key for event in fork[:4]] == [event.request_key for event in own]
    assert all(a.at and b.at and a.at < b.at for a, b in zip(own, fork[:4], strict=True))
    assert {a.request_id for a in own}.isdisjoint(b.request_id for b in fork)
    assert len({event.request_key for event in own + fork}) == 5
    started = found[0].events[0]
    assert isinstance(started, AgentStarted)
    assert (started.cwd, started.agent_version) == ("/scratch/x_opencode/repo", "1.18.33")


def test_what_was_said_and_done() -> None:
    found = [e for entry in entries(FOLDER, told=True) for e in entry.events]
    texts = [event.text for event in found if isinstance(event, TextSaid)]
    assert (
        texts.count("Done.") == 5
    )  # of the first prompt, the second, their copies, and the fork's own
    ended = [event.outcome for event in found if isinstance(event, ToolEnded)]
    assert ended == ["ok", "error"] * 2  # `ls; false` ran and failed; all again in the fork


def test_each_step_of_an_older_message_is_a_request(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session("s1")
    store.message("m1", "s1", message(5, tokens(3, 3)))  # the message itself tells its last step
    store.part("p1", "m1", type="tool", tool="bash", callID="c")
    store.part("p2", "m1", type="step-finish", tokens=tokens(1, 1))
    store.part("p3", "m1", type="step-finish", tokens=tokens(3, 3))
    seen = requests(entries(tmp_path))
    assert [(e.usage.input_tokens, e.tools) for e in seen] == [(1, ["bash"]), (3, [])]
    assert len({event.request_key for event in seen}) == 2


def test_nothing_is_inside_anything_else(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session("s1")
    store.message("m1", "s1", message(5))
    [request] = requests(entries(tmp_path))
    assert request.usage == Usage(
        input_tokens=100,
        output_tokens=50,
        cache_read_tokens=600,
        cache_write_tokens=50,
        reasoning_tokens=20,
    )
    assert request.at == datetime(2026, 3, 1, 10, 0, 0, 5000, tzinfo=UTC)


def test_a_message_without_tokens_is_no_request_and_its_error_is_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session("s1")
    error = {"name": "APIError", "data": {"statusCode": 429, "message": "slow down"}}
    store.message("m1", "s1", message(5, tokens(0, 0), error=error))
    [entry] = entries(tmp_path)
    assert requests([entry]) == []
    [failed] = [event for event in entry.events if isinstance(event, AgentFailed)]
    assert (failed.error_type, failed.error_code, failed.message) == (
        "rate_limit",
        "429",
        "slow down",
    )


def test_subagents_belong_to_the_session_that_a_person_began(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session("s1")
    store.session("s2", "s1")
    store.session("s3", "s2")
    for number, session in enumerate(("s1", "s2", "s3")):
        store.message(f"m{number}", session, message(number, agent="explore"))
    found = entries(tmp_path)
    assert [entry.agent_session_id for entry in found] == ["s1"] * 3
    assert [event.subagent for event in requests(found)] == [None, "explore", "explore"]


def test_only_what_changed_since_is_read_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session("s1")
    store.message("m1", "s1", message(1), updated=10)
    store.message("m2", "s1", message(2), updated=20)
    last = entries(tmp_path)[-1].mark
    store.message("m3", "s1", message(3), updated=30)
    store.message("m1", "s1", message(1, tokens(9, 9)), updated=40)
    assert [entry.key for entry in entries(tmp_path, last)] == ["m2", "m3", "m1"]


def test_a_damaged_message_is_left_out_with_its_reason(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session("s1")
    store.message("m1", "s1", "{", updated=1)
    store.message("m2", "s1", message(1, {"input": -1}), updated=2)
    store.message("m3", "gone", message(2), updated=3)
    bad, negative, good = entries(tmp_path)
    assert (bad.left_out, bad.events) == ("malformed JSON", [])
    assert negative.left_out is not None
    assert (good.left_out, good.agent_session_id) == (None, "gone")


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"x" * 500, b"words"])
def test_what_is_no_database_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "opencode.db").write_bytes(content)
    with pytest.raises(UnreadableLine):
        entries(tmp_path)


def test_reading_leaves_nothing_behind_and_sees_what_is_not_yet_in_the_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session("s1")
    store.message("m1", "s1", message(1))
    assert len(requests(entries(tmp_path))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["opencode.db"]
    with closing(sqlite3.connect(store.path)) as writer:
        writer.execute("pragma journal_mode=wal")
        row = ("m2", "s1", 7, json.dumps(message(2)))
        writer.execute("insert into message values (?, ?, ?, ?)", row)
        writer.commit()
        assert len(requests(entries(tmp_path))) == 2


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_documents_tell_the_same_as_the_database(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    new.mkdir()
    step = {"type": "step-finish", "tokens": tokens(100, 30, 20, 600, 50)}
    info = {"directory": "/work/shop", "version": "0.9", "time": {"created": BORN}}
    write(old / "storage/session/p1/ses_1.json", info)
    write(old / "storage/session/p1/ses_2.json", {**info, "parentID": "ses_1"})
    write(old / "storage/message/ses_1/msg_1.json", message(5))
    write(old / "storage/message/ses_2/msg_2.json", message(9, mode="general"))
    write(old / "storage/part/msg_1/prt_1.json", step)
    store = Store(new)
    store.session("ses_1")
    store.session("ses_2", "ses_1")
    store.message("msg_1", "ses_1", message(5))
    store.message("msg_2", "ses_2", message(9, mode="general"))
    store.part("prt_1", "msg_1", **step)
    documents = entries(old)
    assert [entry.agent_session_id for entry in documents] == ["ses_1", "ses_1"]
    assert requests(documents) == requests(entries(new))


def test_a_damaged_document_says_so_and_one_without_its_session_counts(tmp_path: Path) -> None:
    write(tmp_path / "storage/message/ses_1/msg_1.json", message(5))
    [file] = HISTORY.files(tmp_path)
    [entry] = HISTORY.entries(file, "", told=False)
    assert entry.agent_session_id == "ses_1"
    assert len(requests([entry])) == 1
    file.path.write_text("{")
    with pytest.raises(UnreadableLine):
        list(HISTORY.entries(file, "", told=False))


def test_databases_of_all_channels_and_the_folder_can_be_moved(tmp_path: Path) -> None:
    for name in ("opencode.db", "opencode-dev.db", "opencode.db-wal", "other.db", "auth.json"):
        (tmp_path / name).touch()
    found = [file.path.name for file in HISTORY.files(tmp_path)]
    assert found == ["opencode-dev.db", "opencode.db"]
    settings = Settings(home=tmp_path)
    usual = Path("/home/ann/.local/share/opencode")
    assert HISTORY.roots(settings, {"HOME": "/home/ann"}) == [usual]
    assert HISTORY.roots(settings, {"XDG_DATA_HOME": "/d"}) == [Path("/d/opencode")]
    moved = HISTORY.roots(settings, {"HOME": "/home/ann", "OPENCODE_DB": "/srv/o.db"})
    assert moved == [usual, Path("/srv/o.db")]
    assert list(HISTORY.files(Path("/srv/o.db"))) == []


def test_who_sold_a_request_is_told_by_the_name_that_prices_know(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session("ses_a")
    told = {"anthropic": "from:anthropic", "amazon-bedrock": "from:aws", "xai": "from:x-ai"}
    told |= {"some body": "", "": "", "a" * 61: ""}
    for number, name in enumerate(told):
        store.message(f"msg_{number}", "ses_a", message(number, providerID=name), updated=number)
    assert [event.terms for event in requests(entries(tmp_path))] == list(told.values())
