"""Qwen Code's chats: a real one with a subagent, figures worked out by hand, and what must not be counted twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acd.agents.qwen import HISTORY
from acd.agents.qwen.record import ChatReader, usage_of
from acd.agents.qwen.shapes import UsageMetadata
from acd.core.errors import UnreadableLine
from acd.core.events import AgentStarted, Event, RequestSeen, TextSaid, ToolEnded
from acd.core.models import Usage
from acd.core.settings import Settings

FOLDER = Path(__file__).parent.parent / "data" / "qwen-code"
GOLDEN = next((FOLDER / "projects/repo/chats").glob("*.jsonl"))
SESSION = "c545afb0-7f88-467e-9821-dc698c82464b"


def read(lines: list[Any], *, told: bool = False) -> list[Event]:
    reader = ChatReader("s1", told=told)
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    return [event for one in raw for event in reader.read(one)]


def greatest(events: list[Event]) -> dict[str, RequestSeen]:
    return {event.request_key: event for event in events if isinstance(event, RequestSeen)}


def record(name: str, kind: str, **more: object) -> dict[str, Any]:
    place = {"sessionId": "s1", "cwd": "/work/shop", "version": "0.15.10", "gitBranch": "main"}
    return {"uuid": name, "type": kind, "timestamp": "2026-03-01T10:00:05.000Z", **place, **more}


def answer(name: str, prompt: int = 1000, out: int = 50, **more: object) -> dict[str, Any]:
    tokens = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": out,
        "cachedContentTokenCount": 600,
    }
    return record(name, "assistant", model="qwen3-coder-plus", usageMetadata=tokens, **more)


def telemetry(name: str, prompt: int = 1000, out: int = 50, **more: object) -> dict[str, Any]:
    event = {
        "event.name": "qwen-code.api_response",
        "input_token_count": prompt,
        "output_token_count": out,
        "cached_content_token_count": 600,
        "model": "qwen3-coder-plus",
        "response_id": f"r-{name}",
        **more,
    }
    return record(name, "system", subtype="ui_telemetry", systemPayload={"uiEvent": event})


def test_a_real_session_to_the_token() -> None:
    [file] = HISTORY.files(FOLDER)
    assert (file.path, file.agent_session_id) == (GOLDEN, SESSION)
    reader = HISTORY.reader(file, told=True)
    lines = GOLDEN.read_bytes().splitlines()
    events = [event for line in lines for event in reader.read(line)]
    # Every request that the endpoint served, in its order: fresh input, output, cached, reasoning.
    seen = greatest(events)
    assert [event.usage for event in seen.values()] == [
        Usage(input_tokens=101, output_tokens=20, cache_read_tokens=1001, reasoning_tokens=5),
        Usage(input_tokens=201, output_tokens=11, cache_read_tokens=2001),
        Usage(input_tokens=101, output_tokens=20, cache_read_tokens=1001, reasoning_tokens=5),
        Usage(input_tokens=201, output_tokens=11, cache_read_tokens=2001),
        Usage(input_tokens=103, output_tokens=30, cache_read_tokens=2003, reasoning_tokens=5),
        Usage(input_tokens=105, output_tokens=40, cache_read_tokens=3005, reasoning_tokens=5),
        *[Usage(input_tokens=105, output_tokens=40, cache_read_tokens=3005, reasoning_tokens=5)]
        * 2,
    ]
    subagents = [event.subagent for event in seen.values()]
    asked, memory = "general-purpose", "managed-auto-memory-extractor"
    assert subagents == [None, None, asked, asked, None, None, None, memory]
    assert {event.model for event in seen.values()} == {"qwen3-coder-plus"}
    assert events[0] == AgentStarted(
        at=datetime(2026, 11, 24, 13, 29, 28, 206000, tzinfo=UTC),
        agent_session_id=SESSION,
        agent_version="0.15.10",
        cwd="/scratch/x_qwen/repo",
        branch="master",
    )


@pytest.mark.parametrize("turned", [False, True])
def test_a_request_told_by_two_records_is_one(turned: bool) -> None:
    parts = {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "glob"}}]}
    both = [telemetry("t1"), answer("a1", message=parts)]
    events = read(both[::-1] if turned else both)
    snapshots = [event for event in events if isinstance(event, RequestSeen)]
    assert len(snapshots) == 2
    assert len({event.request_key for event in snapshots}) == 1
    assert {event.request_id for event in snapshots} == {"r-t1", None}
    assert [tool for event in snapshots for tool in event.tools] == ["glob"]


def test_requests_with_the_same_tokens_are_as_many_as_there_were() -> None:
    lines = [telemetry("t1"), answer("a1"), telemetry("t2"), answer("a2"), telemetry("t3")]
    assert len(greatest(read(lines))) == 3


def test_a_subagents_request_is_told_by_telemetry_alone() -> None:
    lines = [telemetry("t1", subagent_name="explore"), telemetry("t2"), answer("a2")]
    seen = greatest(read(lines))
    assert {key: event.subagent for key, event in seen.items()} == {
        "qwen-code:t1": "explore",
        "qwen-code:t2": None,
    }


def test_messages_without_telemetry_count_by_themselves() -> None:
    assert list(greatest(read([answer("a1"), answer("a2")]))) == ["qwen-code:a1", "qwen-code:a2"]


def test_a_branch_repeats_the_same_requests_and_comes_after_the_original() -> None:
    own = [telemetry("t1"), answer("a1")]
    copy = [{**one, "sessionId": "s2", "forkedFrom": {"sessionId": "s1"}} for one in own]
    first, second = greatest(read(own)), greatest(read([*copy, telemetry("t9", 2000)]))
    assert [*first, "qwen-code:t9"] == list(second)
    assert first["qwen-code:t1"].usage == second["qwen-code:t1"].usage
    assert [e.at for e in first.values()] < [e.at for e in second.values()]


@pytest.mark.parametrize(
    ("total", "output"),
    [(1070, 70), (1050, 50), (None, 50)],
    ids=["Gemini's API: outside", "OpenAI's: inside", "no total: inside"],
)
def test_thoughts_are_where_the_total_puts_them(total: int | None, output: int) -> None:
    seen = UsageMetadata(
        prompt_token_count=1000,
        candidates_token_count=50,
        cached_content_token_count=600,
        thoughts_token_count=20,
        total_token_count=total,
    )
    assert usage_of(seen) == Usage(
        input_tokens=400, output_tokens=output, cache_read_tokens=600, reasoning_tokens=20
    )


def test_what_was_said_and_done() -> None:
    result = {"functionResponse": {"id": "c", "response": {"error": "no such file"}}}
    lines = [
        record("u", "user", message={"parts": [{"text": "do it"}]}),
        answer("a", message={"parts": [{"text": "hm", "thought": True}, {"text": "Done."}]}),
        record("r", "tool_result", message={"parts": [result]}, toolCallResult={"status": "error"}),
    ]
    events = read(lines, told=True)
    said = [(event.role, event.text) for event in events if isinstance(event, TextSaid)]
    assert said == [("user", "do it"), ("agent", "Done.")]
    [ended] = [event for event in events if isinstance(event, ToolEnded)]
    assert (ended.outcome, ended.text) == ("error", "no such file")


@pytest.mark.parametrize(
    "bad", [b"[]", b'{"type":"assistant","usageMetadata":{"promptTokenCount":-1}}']
)
def test_what_cannot_be_read_says_why(bad: bytes) -> None:
    with pytest.raises(UnreadableLine):
        read([bad])


def test_only_chats_are_taken_and_the_folder_can_be_moved(tmp_path: Path) -> None:
    places = [
        "projects/-work-shop/chats/s1.jsonl",
        "projects/-work-shop/chats/session-2025-09-01-s2.jsonl",  # Gemini CLI's
        "projects/-work-shop/subagents/s1/agent-7.jsonl",
        "projects/-work-shop/meta.json",
    ]
    for place in places:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert [file.path for file in HISTORY.files(tmp_path)] == [tmp_path / places[0]]
    settings = Settings(home=tmp_path)
    both = {"QWEN_HOME": "/srv/a", "QWEN_RUNTIME_DIR": "/srv/b", "HOME": "/home/ann"}
    assert HISTORY.roots(settings, both) == [Path("/srv/b")]
    assert HISTORY.roots(settings, {"HOME": "/home/ann"}) == [Path("/home/ann/.qwen")]
