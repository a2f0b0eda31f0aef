"""Codex's rollout files: a real one with figures worked out by hand, and the traps that trackers fell into."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from acd.agents.codex import HISTORY
from acd.agents.codex.rollout import Rollout
from acd.core.errors import UnreadableLine
from acd.core.events import AgentFailed, AgentStarted, Event, RequestSeen, TextSaid, ToolEnded
from acd.core.models import Usage
from acd.core.settings import Settings
from acd.history.looking import Known, look

GOLDEN = next((Path(__file__).parent.parent / "data" / "codex").glob("*.jsonl"))
PARENT, CHILD = "01a204f6-40ca-7912-a7de-000000000001", "01a204f6-40ca-7912-a7de-000000000002"


def read(lines: list[bytes], *, told: bool = False) -> list[Event]:
    reader = Rollout("a-file", told=told)
    return [event for line in lines for event in reader.read(line)]


def requests(lines: list[bytes]) -> list[RequestSeen]:
    return [event for event in read(lines) if isinstance(event, RequestSeen)]


def line(kind: str, payload: dict[str, Any], at: str = "2026-03-01T10:00:00.000Z") -> bytes:
    return json.dumps({"timestamp": at, "type": kind, "payload": payload}).encode()


def meta(thread: str, **more: object) -> bytes:
    return line("session_meta", {"id": thread, "cwd": "/work/shop", **more})


def turn(turn_id: str | None, model: str = "gpt-5.3-codex") -> bytes:
    return line("turn_context", {"turn_id": turn_id, "model": model})


def said() -> bytes:
    return line("response_item", {"type": "message", "role": "assistant", "content": []})


def usage(
    given: int, cached: int, out: int, reasoning: int = 0, written: int = 0
) -> dict[str, int]:
    return {
        "input_tokens": given,
        "cached_input_tokens": cached,
        "cache_write_input_tokens": written,
        "output_tokens": out,
        "reasoning_output_tokens": reasoning,
    }


def count(
    total: dict[str, int], last: dict[str, int], at: str = "2026-03-01T10:00:05.000Z"
) -> bytes:
    info = {"total_token_usage": total, "last_token_usage": last}
    return line("event_msg", {"type": "token_count", "info": info}, at)


FIRST, SECOND = usage(1000, 600, 50, 20), usage(1500, 1000, 70, 30)
BOTH = usage(2500, 1600, 120, 50)
OLD = [meta(PARENT), turn("t1"), said(), count(FIRST, FIRST), said(), count(BOTH, SECOND)]


def test_a_real_session_to_the_token() -> None:
    events = read(GOLDEN.read_bytes().splitlines(), told=True)
    seen = [event for event in events if isinstance(event, RequestSeen)]
    # What the endpoint answered: fresh input, output, cached; 5 of reasoning each (facts/other-agents.md).
    assert [event.usage for event in seen] == [
        Usage(input_tokens=101, output_tokens=20, cache_read_tokens=1001, reasoning_tokens=5),
        Usage(input_tokens=103, output_tokens=30, cache_read_tokens=2003, reasoning_tokens=5),
        Usage(input_tokens=105, output_tokens=40, cache_read_tokens=3005, reasoning_tokens=5),
    ]
    assert [event.tools for event in seen] == [["exec_command"], ["exec_command"], []]
    assert {event.model for event in seen} == {"gpt-5.1-codex"}
    assert [event.request_id for event in seen] == ["resp_1", "resp_6", "resp_10"]
    assert events[0] == AgentStarted(
        at=datetime(2026, 11, 22, 20, 32, 57, 49000, tzinfo=UTC),
        agent_session_id="01a204f6-40ca-7912-a7de-072839d62607",
        agent_version="0.169.0",
        cwd="/scratch/x_codex/repo",
        branch="master",
    )
    assert [e.text for e in events if isinstance(e, TextSaid)] == [
        "do it",
        "Done. One commit made.",
    ]
    # The second command (`ls; false`) failed: its exit status is told in a line of its own.
    assert [e.outcome for e in events if isinstance(e, ToolEnded)] == ["ok", "error"]


def test_what_is_only_counted_tells_the_same_requests_and_the_last_time() -> None:
    lines = GOLDEN.read_bytes().splitlines()
    reader = Rollout("a-file", told=False)
    events = [event for one in lines for event in reader.read(one)]
    assert [e for e in events if isinstance(e, RequestSeen)] == requests(lines)
    assert not [e for e in events if isinstance(e, TextSaid)]
    assert [event.at for event in reader.finish()] == [
        datetime(2026, 11, 22, 20, 32, 57, 454000, tzinfo=UTC)
    ]
    assert reader.finish() == []


def test_without_records_the_last_usage_counts_and_not_the_running_total() -> None:
    assert [event.usage for event in requests(OLD)] == [
        Usage(input_tokens=400, output_tokens=50, cache_read_tokens=600, reasoning_tokens=20),
        Usage(input_tokens=500, output_tokens=70, cache_read_tokens=1000, reasoning_tokens=30),
    ]


def test_a_total_told_again_is_no_request() -> None:
    again = count(BOTH, SECOND, "2026-03-01T10:07:00.000Z")
    assert requests([*OLD, again, turn("t2"), again]) == requests(OLD)


def test_limits_alone_are_no_request() -> None:
    limits = line("event_msg", {"type": "token_count", "info": None, "rate_limits": {}})
    assert requests([*OLD[:3], limits, *OLD[3:]]) == requests(OLD)


def test_cache_writes_are_inside_input() -> None:
    seen = usage(1000, 600, 50, written=300)
    [request] = requests([meta(PARENT), turn("t1"), said(), count(seen, seen)])
    assert request.usage == Usage(
        input_tokens=100, output_tokens=50, cache_read_tokens=600, cache_write_tokens=300
    )


@pytest.mark.parametrize("turn_id", ["t1", None])
def test_a_fork_repeats_its_parents_requests_and_adds_its_own(turn_id: str | None) -> None:
    parent = [meta(PARENT), turn(turn_id), *OLD[2:]]
    copied = [one.replace(b"T10:0", b"T12:0") for one in parent]  # times as of the copying
    third = usage(4500, 3000, 200, 60)
    fork = [
        meta(CHILD, forked_from_id=PARENT),
        *copied,
        turn("t9"),
        count(BOTH, SECOND, "2026-03-01T12:30:00.000Z"),
        said(),
        count(third, usage(2000, 1400, 80, 10), "2026-03-01T12:31:00.000Z"),
    ]
    own, of_fork = requests(parent), requests(fork)
    assert [event.request_key for event in of_fork[:2]] == [event.request_key for event in own]
    assert [event.usage for event in of_fork[2:]] == [
        Usage(input_tokens=600, output_tokens=80, cache_read_tokens=1400, reasoning_tokens=10)
    ]
    assert len({event.request_key for event in own + of_fork}) == 3


def test_copies_with_their_old_times_come_after_the_original() -> None:
    own = requests(OLD)
    copied = requests([meta(CHILD), *OLD])
    assert [event.request_key for event in own] == [event.request_key for event in copied]
    assert all(
        a.at and b.at and a.at < b.at and a.at.date() == b.at.date()
        for a, b in zip(own, copied, strict=True)
    )


def test_a_fork_that_repeats_nothing_does_not_count_its_parents_last_request() -> None:
    again = count(BOTH, SECOND)
    third = usage(4500, 3000, 200)
    lines = [meta(CHILD), turn("t9"), again, said(), count(third, usage(2000, 1400, 80))]
    assert [event.usage.output_tokens for event in requests(lines)] == [80]


def test_a_record_and_its_count_are_one_request_whichever_a_copy_keeps() -> None:
    record = {"turn_id": "t1", "response_id": "r1", "usage": FIRST, "thread_token_usage": FIRST}
    new = [meta(PARENT), turn("t1"), said(), line("token_usage_record", record)]
    [by_record] = requests([*new, count(FIRST, FIRST)])
    [by_count] = requests([meta(PARENT), turn("t1"), said(), count(FIRST, FIRST)])
    assert by_record.request_key == by_count.request_key


def test_a_full_context_is_no_request_and_what_follows_counts() -> None:
    full = usage(0, 0, 0)
    lines = [*OLD, count(full, full), said(), count(FIRST, FIRST)]
    assert [event.usage.output_tokens for event in requests(lines)] == [50, 70, 50]


def test_two_sessions_with_the_same_figures_are_two() -> None:
    other = [meta(CHILD), turn("t7"), *OLD[2:]]
    assert not {e.request_key for e in requests(OLD)} & {e.request_key for e in requests(other)}


@pytest.mark.parametrize(
    ("more", "session", "subagent"),
    [
        ({"session_id": PARENT, "source": {"subagent": "review"}}, PARENT, "review"),
        (
            {
                "source": {
                    "subagent": {
                        "thread_spawn": {"parent_thread_id": PARENT, "agent_role": "explorer"}
                    }
                }
            },
            PARENT,
            "explorer",
        ),
        ({"source": {"subagent": {"other": 1}}}, CHILD, "subagent"),
        ({"source": "cli"}, CHILD, None),
        ({"source": None}, CHILD, None),
    ],
)
def test_a_subagents_file_belongs_to_its_parents_session(
    more: dict[str, Any], session: str, subagent: str | None
) -> None:
    events = read([meta(CHILD, **more), *OLD[1:4]])
    assert isinstance(events[0], AgentStarted)
    assert isinstance(events[1], RequestSeen)
    assert (events[0].agent_session_id, events[1].subagent) == (session, subagent)


@pytest.mark.parametrize(
    ("info", "error_type", "code"),
    [
        ("usage_limit_exceeded", "usage_limit", "usage_limit_exceeded"),
        (
            {"http_connection_failed": {"http_status_code": None}},
            "network",
            "http_connection_failed",
        ),
        ({"response_too_many_failed_attempts": {"http_status_code": 429}}, "rate_limit", "429"),
        (None, "unknown", None),
        ("something new", "unknown", "something new"),
    ],
)
def test_failures_by_their_structure(info: object, error_type: str, code: str | None) -> None:
    payload = {"type": "error", "message": "it said 401 somewhere", "codex_error_info": info}
    [failed] = read([line("event_msg", payload)])
    assert isinstance(failed, AgentFailed)
    assert (failed.error_type, failed.error_code) == (error_type, code)


@pytest.mark.parametrize(
    "bad",
    [b"[]", b'{"type":"turn_context","payload":[]}', b'{"type":"token_usage_record"', b"\x00"],
)
def test_what_cannot_be_read_says_why(bad: bytes) -> None:
    with pytest.raises(UnreadableLine):
        Rollout("a-file").read(bad)


def test_files_by_name_wherever_they_lie(tmp_path: Path) -> None:
    name = f"rollout-2026-03-01T10-00-00-{PARENT}.jsonl"
    places = [
        f"sessions/2026/03/01/{name}",
        f"archived_sessions/{name.replace('10-00', '11-00')}",
        f"sessions/2026/03/02/{name.replace('10-00', '12-00')}.zst",
        f"sessions/2026/03/01/{name}.zst",  # Codex keeps both for a moment: the plain one is read
        "sessions/2026/03/01/notes.jsonl",
        "history.jsonl",
    ]
    for place in places:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    found = [(str(f.path.relative_to(tmp_path)), bool(f.left_out)) for f in HISTORY.files(tmp_path)]
    assert found == [(places[0], False), (places[2], True), (places[1], False)]
    assert [f.path for f in HISTORY.files(tmp_path / places[0])] == [tmp_path / places[0]]


def test_a_packed_file_is_left_out_unless_it_was_imported_before(tmp_path: Path) -> None:
    plain = "rollout-2026-03-01T10-00-00-01890000-0000-7000-8000-000000000001.jsonl"
    (tmp_path / f"{plain}.zst").write_bytes(b"")
    (found,) = look([(HISTORY, [tmp_path])], {})
    assert "zstd -d" in (found.file.left_out or "")
    assert not found.changed
    known = Known(UUID(int=1), UUID(int=1), 1, 2, 3, 2)
    assert list(look([(HISTORY, [tmp_path])], {f"/elsewhere/{plain}": known})) == []


def test_the_folder_can_be_moved(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert HISTORY.roots(settings, {"CODEX_HOME": "/srv/codex"}) == [Path("/srv/codex")]
    assert HISTORY.roots(settings, {"HOME": "/home/ann"}) == [Path("/home/ann/.codex")]
