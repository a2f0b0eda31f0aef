"""Gemini CLI's chats: a real one with figures worked out by hand, older forms, and what must not be counted twice."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acd.agents.gemini import HISTORY
from acd.agents.gemini.chat import ChatReader
from acd.core.errors import UnreadableLine
from acd.core.events import AgentFailed, AgentStarted, Event, RequestSeen, TextSaid, ToolEnded
from acd.core.models import Usage
from acd.core.settings import Settings

FOLDER = Path(__file__).parent.parent / "data" / "gemini-cli"
GOLDEN = next((FOLDER / "tmp/repo/chats").glob("session-*.jsonl"))
SESSION = "a35bd42d-47f6-49c1-bbf6-9a6e0863c446"

HEAD = {"sessionId": "s1", "projectHash": "h", "startTime": "2026-03-01T10:00:00.000Z"}


def message(name: str, **more: object) -> dict[str, Any]:
    return {
        "id": name,
        "timestamp": "2026-03-01T10:00:05.000Z",
        "type": "gemini",
        "content": "",
        "model": "gemini-2.5-pro",
        **more,
    }


TOKENS = {"input": 1000, "output": 50, "cached": 600, "thoughts": 20, "tool": 7, "total": 1077}


def read(lines: list[Any], *, told: bool = False) -> list[Event]:
    reader = ChatReader(None, None, subagent=None, told=told)
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    return [event for one in raw for event in reader.read(one)]


def requests(events: list[Event]) -> list[RequestSeen]:
    return [event for event in events if isinstance(event, RequestSeen)]


def test_a_real_session_to_the_token() -> None:
    [file] = HISTORY.files(FOLDER)
    assert (file.path, file.form, file.subagent) == (GOLDEN, "lines", False)
    events = read(GOLDEN.read_bytes().splitlines(), told=True)
    greatest = {event.request_key: event for event in requests(events)}
    # What the endpoint answered: fresh input, output, cached; 5 of thoughts each, outside the output (facts).
    assert [event.usage for event in greatest.values()] == [
        Usage(input_tokens=101, output_tokens=25, cache_read_tokens=1001, reasoning_tokens=5),
        Usage(input_tokens=103, output_tokens=35, cache_read_tokens=2003, reasoning_tokens=5),
        Usage(input_tokens=105, output_tokens=45, cache_read_tokens=3005, reasoning_tokens=5),
    ]
    assert sum(event.usage.total for event in greatest.values()) == 6423  # its own total_tokens
    assert [event.tools for event in greatest.values()] == [
        ["run_shell_command"],
        ["run_shell_command"],
        [],
    ]
    assert {event.model for event in greatest.values()} == {"gemini-2.5-pro"}
    first = events[0]
    assert isinstance(first, AgentStarted)
    assert first.agent_session_id == SESSION
    assert first.at == datetime(2026, 11, 22, 20, 34, 21, 810000, tzinfo=UTC)
    texts = [event.text for event in events if isinstance(event, TextSaid)]
    assert texts == ["do it", "Done. One commit made."]


def test_tokens_of_the_models_own_tools_are_input() -> None:
    [request] = requests(read([HEAD, message("m1", tokens=TOKENS)]))
    assert request.usage == Usage(
        input_tokens=407, output_tokens=70, cache_read_tokens=600, reasoning_tokens=20
    )
    assert request.usage.total == TOKENS["total"]


def test_a_message_written_again_is_one_request() -> None:
    whole = message("m1", tokens=TOKENS, toolCalls=[{"id": "c", "name": "glob"}])
    lines = [HEAD, message("m1", tokens=TOKENS), whole, {"$set": {"messages": [whole]}}]
    assert {event.request_key for event in requests(read(lines))} == {"gemini-cli:m1"}


def test_what_was_said_in_it_is_told_once() -> None:
    first = message("m1", content="Let me see.", tokens=TOKENS)
    whole = {**first, "toolCalls": [{"id": "c", "name": "glob", "status": "success"}]}
    prompt = {**message("u1", content=[{"text": "do it"}]), "type": "user"}
    lines = [HEAD, prompt, first, whole, {"$set": {"messages": [prompt, whole]}}]
    events = read(lines, told=True)
    assert [e.text for e in events if isinstance(e, TextSaid)] == ["do it", "Let me see."]
    assert len([e for e in events if isinstance(e, ToolEnded)]) == 1


def test_what_was_taken_back_has_been_paid_for() -> None:
    lines = [HEAD, message("m1", tokens=TOKENS), {"$rewindTo": "m1"}]
    assert len(requests(read(lines))) == 1


def test_a_message_without_tokens_is_no_request() -> None:
    assert requests(read([HEAD, message("m1"), message("m2", tokens=None)])) == []


def test_outcomes_of_tools_and_failures() -> None:
    calls = [{"id": s, "name": "glob", "status": s} for s in ("success", "error", "cancelled")]
    failure = {**message("m2"), "type": "error", "content": "[API Error: 429]"}
    events = read([HEAD, message("m1", toolCalls=calls), failure], told=True)
    assert [e.outcome for e in events if isinstance(e, ToolEnded)] == ["ok", "error", "denied"]
    [failed] = [e for e in events if isinstance(e, AgentFailed)]
    assert (failed.error_type, failed.message) == ("unknown", "[API Error: 429]")


def test_a_chat_in_one_document_is_the_same_as_in_lines(tmp_path: Path) -> None:
    chats = tmp_path / "tmp" / "abc" / "chats"
    chats.mkdir(parents=True)
    messages: list[object] = [message("m1", tokens=TOKENS), message("m2", tokens=TOKENS)]
    old = chats / "session-2025-09-01T10-00-s1.json"
    old.write_text(json.dumps({**HEAD, "messages": [*messages, 5]}, indent=2))
    new = chats / "session-2025-09-01T10-00-s1.jsonl"
    new.write_text("".join(f"{json.dumps(one)}\n" for one in [HEAD, *messages]))
    document, lines = HISTORY.files(tmp_path)
    assert (document.form, lines.form) == ("store", "lines")
    entries = list(HISTORY.entries(document, "", told=False))
    assert {entry.agent_session_id for entry in entries} == {"s1"}
    assert [entry.key for entry in entries] == ["head", "message 0", "message 1", "message 2"]
    assert entries[3].left_out is not None
    from_document = [event for entry in entries for event in requests(entry.events)]
    assert from_document == requests(read([HEAD, *messages]))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_a_damaged_document_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chats" / "session-x.json"
    path.parent.mkdir()
    path.write_bytes(content)
    [file] = HISTORY.files(tmp_path)
    with pytest.raises(UnreadableLine):
        list(HISTORY.entries(file, "", told=False))


def test_the_project_is_told_by_the_files_beside(tmp_path: Path) -> None:
    named, hashed = tmp_path / "tmp" / "shop", tmp_path / "tmp" / "beef"
    for project in (named, hashed):
        (project / "chats").mkdir(parents=True)
    (named / ".project_root").write_text("/work/shop")
    (named / "chats" / "session-1.jsonl").write_text(json.dumps(HEAD) + "\n")
    (tmp_path / "projects.json").write_text(json.dumps({"projects": {"/work/old": "old"}}))
    project_hash = hashlib.sha256(b"/work/old").hexdigest()
    document = {**HEAD, "projectHash": project_hash, "messages": []}
    (hashed / "chats" / "session-2.json").write_text(json.dumps(document))
    by_hash, by_name = HISTORY.files(tmp_path)
    [started] = HISTORY.reader(by_name, told=False).read(json.dumps(HEAD).encode())
    assert isinstance(started, AgentStarted)
    assert started.cwd == "/work/shop"
    [entry] = HISTORY.entries(by_hash, "", told=False)
    assert [e.cwd for e in entry.events if isinstance(e, AgentStarted)] == ["/work/old"]


def test_a_subagents_chat_belongs_to_its_session(tmp_path: Path) -> None:
    folder = tmp_path / "tmp" / "shop" / "chats" / "s1"
    folder.mkdir(parents=True)
    (folder / "sub-7.jsonl").touch()
    [file] = HISTORY.files(tmp_path)
    assert (file.agent_session_id, file.subagent) == ("s1", True)
    reader = HISTORY.reader(file, told=False)
    head = {**HEAD, "sessionId": "sub-7", "kind": "subagent"}
    [started] = reader.read(json.dumps(head).encode())
    [request] = reader.read(json.dumps(message("m1", tokens=TOKENS)).encode())
    assert isinstance(started, AgentStarted)
    assert isinstance(request, RequestSeen)
    assert (started.agent_session_id, request.subagent) == ("s1", "sub-7")


def test_the_last_time_is_told_at_the_end() -> None:
    reader = ChatReader("s1", None, subagent=None, told=False)
    reader.read(json.dumps({**message("m9"), "type": "user"}).encode())
    assert [event.at for event in reader.finish()] == [datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC)]
    assert reader.finish() == []


def test_the_folder_can_be_moved(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert HISTORY.roots(settings, {"GEMINI_CLI_HOME": "/srv/g"}) == [Path("/srv/g/.gemini")]
    assert HISTORY.roots(settings, {"HOME": "/home/ann"}) == [Path("/home/ann/.gemini")]
