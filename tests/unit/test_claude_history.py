"""Claude Code's history: which files are its own, whose they are, and what their lines count."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acd.agents.claude_code import HISTORY
from acd.agents.histories import history_names, load_history
from acd.agents.history import HistoryFile, LineReader
from acd.core.errors import ConfigError, UnreadableLine
from acd.core.events import AgentStarted, Event, RequestSeen, TextSaid
from acd.core.settings import Settings

SAMPLES = Path(__file__).parent.parent / "data" / "claude-code"
SESSION = "241cabd5-4f56-4735-bd61-aac672ca6c17"
PLACE = {
    "cwd": "/srv/shop",
    "sessionId": SESSION,
    "version": "2.1.330",
    "gitBranch": "main",
}


def line_of(kind: str, second: int, message: dict[str, Any], **fields: Any) -> bytes:  # noqa: ANN401
    at = f"2026-11-22T20:00:{second:02}.000Z"
    return json.dumps(
        {"parentUuid": "x", "type": kind, "message": message, "timestamp": at} | PLACE | fields,
        separators=(",", ":"),
    ).encode()


def answer(second: int, number: int, *, output: int = 5, **fields: Any) -> bytes:  # noqa: ANN401
    usage = {"input_tokens": 100, "output_tokens": output}
    message = {"id": f"msg_{number}", "role": "assistant", "model": "claude-opus-5-5"}
    return line_of("assistant", second, message | {"usage": usage, "content": []}, **fields)


def result(second: int, text: str = "done", **fields: Any) -> bytes:  # noqa: ANN401
    return line_of("user", second, {"role": "user", "content": text}, **fields)


def reader(*, told: bool = False, name: str = f"{SESSION}.jsonl") -> LineReader:
    return HISTORY.reader(next(iter(files_of(name))), told=told)


def files_of(name: str) -> list[HistoryFile]:
    stem = name.removesuffix(".jsonl")
    subagent = stem.startswith("agent-")
    return [HistoryFile(Path("/x") / name, name, None if subagent else stem, subagent=subagent)]


def events_of(lines: list[bytes], *, told: bool = False) -> list[Event]:
    one = reader(told=told)
    return [event for line in lines for event in one.read(line)] + one.finish()


def times_of(events: list[Event]) -> list[datetime]:
    return [event.at for event in events if event.at is not None]


def test_the_first_and_the_last_line_tell_their_times_and_tool_results_are_passed_over() -> None:
    lines = [result(1), answer(2, 1), result(3), result(4), answer(5, 2), result(6), result(7)]
    events = events_of(lines)
    assert [type(event) for event in events] == [
        *(AgentStarted, RequestSeen, RequestSeen, AgentStarted),
    ]
    assert min(times_of(events)) == datetime(2026, 11, 22, 20, 0, 1, tzinfo=UTC)
    assert max(times_of(events)) == datetime(2026, 11, 22, 20, 0, 7, tzinfo=UTC)
    started = events[0]
    assert isinstance(started, AgentStarted)
    assert (started.agent_session_id, started.cwd, started.branch, started.agent_version) == (
        *(SESSION, "/srv/shop", "main", "2.1.330"),
    )


def test_where_a_session_is_comes_again_when_it_changes() -> None:
    lines = [result(1), answer(2, 1), answer(3, 2, gitBranch="fix"), answer(4, 3, gitBranch="fix")]
    branches = [event.branch for event in events_of(lines) if isinstance(event, AgentStarted)]
    assert branches == ["main", "fix"]


def test_a_line_that_only_looks_like_a_users_is_read() -> None:
    """The pattern may stand in an object inside the line, or in a text."""
    inside = {"a": json.loads(result(1))}
    hidden = json.dumps({"x": inside} | json.loads(answer(2, 7)), separators=(",", ":")).encode()
    events = events_of([result(1), hidden])
    assert [event.request_key for event in events if isinstance(event, RequestSeen)] == [
        "claude-code:msg_7"
    ]


def test_what_was_said_is_there_where_it_is_told() -> None:
    events = events_of([result(1, "please"), answer(2, 1), result(3, "thanks")], told=True)
    assert [event.text for event in events if isinstance(event, TextSaid)] == ["please", "thanks"]


def test_a_subagents_file_tags_its_requests() -> None:
    one = HISTORY.reader(files_of("agent-a1b2.jsonl")[0], told=False)
    events = [event for line in (result(1), answer(2, 1)) for event in one.read(line)]
    assert [event.subagent for event in events if isinstance(event, RequestSeen)] == ["a1b2"]
    assert isinstance(events[0], AgentStarted)
    assert events[0].agent_session_id == SESSION


@pytest.mark.parametrize("sample", ["c_subagent", "b_parallel", "s_resume1", "v197_success"])
def test_passing_over_changes_no_request_of_a_genuine_transcript(sample: str) -> None:
    lines = (SAMPLES / f"{sample}.transcript.jsonl").read_bytes().splitlines()
    brief, whole = events_of(lines), events_of(lines, told=True)
    assert [e for e in brief if isinstance(e, RequestSeen)]
    assert [e for e in brief if isinstance(e, RequestSeen)] == [
        e for e in whole if isinstance(e, RequestSeen)
    ]
    assert max(times_of(brief)) == max(times_of(whole))


def test_a_broken_line_is_told_with_its_reason() -> None:
    with pytest.raises(UnreadableLine, match="malformed"):
        events_of([result(1), answer(2, 1)[:-4]])
    with pytest.raises(UnreadableLine, match="malformed"):  # also where it begins like a user's
        events_of([result(1), result(2)[:-4]])


# ---- which files -------------------------------------------------------------------------------------------------


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_sessions_and_subagents_at_any_depth(tmp_path: Path) -> None:
    project = tmp_path / "projects" / "-srv-shop"
    touch(project / f"{SESSION}.jsonl")
    touch(project / SESSION / "subagents" / "agent-a1.jsonl")
    touch(project / SESSION / "subagents" / "flow" / "deep" / "agent-a2.jsonl")
    touch(project / "agent-old.jsonl")
    touch(project / SESSION / "tool-results" / "out.txt")
    touch(tmp_path / "history.jsonl")
    (project / "link.jsonl").symlink_to(project / f"{SESSION}.jsonl")
    found = {file.path.name: file for file in HISTORY.files(tmp_path)}
    assert {name: file.agent_session_id for name, file in found.items()} == {
        f"{SESSION}.jsonl": SESSION,
        "agent-a1.jsonl": SESSION,
        "agent-a2.jsonl": SESSION,
        "agent-old.jsonl": None,
    }
    assert [name for name, file in found.items() if not file.subagent] == [f"{SESSION}.jsonl"]
    for part in (tmp_path / "projects", project):
        assert {file.path for file in HISTORY.files(part)} == {f.path for f in found.values()}
    alone = list(HISTORY.files(project / SESSION / "subagents" / "agent-a1.jsonl"))
    assert [file.agent_session_id for file in alone] == [SESSION]


def test_files_of_others_are_not_its_own(tmp_path: Path) -> None:
    touch(tmp_path / "sessions" / "2026" / f"rollout-2026-11-22-{SESSION}.jsonl")
    touch(tmp_path / "notes.jsonl")
    assert list(HISTORY.files(tmp_path)) == []
    assert list(HISTORY.files(tmp_path / "nowhere")) == []


def test_roots_are_the_usual_folders_and_those_of_the_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = [tmp_path / ".claude", tmp_path / ".config" / "claude"]
    assert HISTORY.roots(Settings(), {}) == usual
    named = Settings(claude_config_dir=Path("/one, ~/two"))
    assert HISTORY.roots(named, {}) == [Path("/one"), tmp_path / "two", *usual]


def test_histories_are_found_by_name() -> None:
    assert "claude-code" in history_names()
    assert load_history("claude-code") is HISTORY
    with pytest.raises(ConfigError, match="claude-code"):
        load_history("no-such-agent")
