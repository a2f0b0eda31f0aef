"""Small parts of the harness: environment, live state, trouble, stream follower."""

from __future__ import annotations

import asyncio
import errno
import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from acd.core.errors import GitError, UnreadableLine
from acd.core.events import (
    AgentFailed,
    AgentStarted,
    Event,
    LimitSeen,
    ModelFellBack,
    Reported,
    RequestSeen,
    Retried,
    TextSaid,
    ToolUsed,
)
from acd.core.models import Target, Usage
from acd.harness import stream
from acd.harness.environment import MARK, agent_environment, names_in
from acd.harness.live import LiveState
from acd.harness.stream import StreamFollower
from acd.harness.trouble import Trouble

SESSION = UUID(int=7)


def test_environment_is_an_allow_list() -> None:
    ours = {
        "PATH": "/bin",
        "HOME": "/h",
        "LC_ALL": "C",
        "XDG_CACHE_HOME": "/c",
        "SSL_CERT_FILE": "/s",
        "HTTPS_PROXY": "p",
        "TERM": "xterm",
        "LD_PRELOAD": "evil",
        "PYTHONPATH": "x",
        "GIT_DIR": "y",
        "DATABASE_URL": "secret",
        "ACD_DATABASE_URL": "secret",
        "ACD_SESSION_ID": "the outer session's",
        "ANTHROPIC_API_KEY": "key",
        "ANTHROPIC": "no",
        "EXACT": "e",
        "EXACTLY": "no",
    }
    seen = agent_environment(
        ours,
        SESSION,
        inherit=["ANTHROPIC_*", "EXACT", "DATABASE_URL", "ACD_*"],
        extra={"HOME": "/w"},
    )
    assert seen == {
        "PATH": "/bin",
        "HOME": "/w",
        "LC_ALL": "C",
        "XDG_CACHE_HOME": "/c",
        "SSL_CERT_FILE": "/s",
        "HTTPS_PROXY": "p",
        "TERM": "dumb",
        "ANTHROPIC_API_KEY": "key",
        "EXACT": "e",
        MARK: str(SESSION),
    }


def test_names_in_a_setting() -> None:
    assert names_in(" A, B_*,,C ") == ["A", "B_*", "C"]
    assert names_in("") == []


def live_state() -> LiveState:
    target = Target(repo_id="r", name="R", path="/r")
    return LiveState(session_id=uuid4(), target=target, session_type="coding", model="opus")


def request(key: str, tokens: int) -> RequestSeen:
    return RequestSeen(request_key=key, model="m", usage=Usage(input_tokens=tokens))


def test_snapshots_of_a_request_count_once_and_the_greatest_wins() -> None:
    live = live_state()
    for event in (request("a", 5), request("b", 1), request("a", 9), request("a", 7)):
        live.take(event)
    assert (live.requests, live.usage.input_tokens) == (2, 10)


def test_many_requests_stay_small_and_counted() -> None:
    live = live_state()
    for number in range(10_000):
        live.take(request(f"r{number}", 1))
        live.take(request(f"r{number}", 2))
    assert (live.requests, live.usage.input_tokens) == (10_000, 20_000)
    assert len(live._recent) <= 256


def test_what_the_live_state_shows() -> None:
    live = live_state()
    limit = LimitSeen(status="rejected", window="five_hour")
    events: list[Event] = [
        AgentStarted(agent_session_id="s", model="claude-opus-5-5"),
        AgentStarted(agent_session_id="s"),
        ToolUsed(tool_use_id="t", name="Bash", text="ls"),
        Retried(error_type="server"),
        ModelFellBack(original_model="claude-opus-5-5", fallback_model="claude-sonnet-5-5"),
        TextSaid(role="agent", text="hm"),
        limit,
        Reported(models={}, final=False),
    ]
    for event in events:
        live.take(event)
    assert (live.model, live.last_tool, live.last_tool_text) == ("claude-sonnet-5-5", "Bash", "ls")
    assert (live.retries, live.limit, live.report) == (1, limit, None)
    live.take(Reported(models={}, final=True))
    assert live.report is not None
    assert live.reported_at is not None


def test_a_failure_is_forgotten_when_the_agent_goes_on() -> None:
    live = live_state()
    live.take(AgentFailed(error_type="server", message="500"))
    assert live.failure is not None
    live.take(request("a", 1))
    assert live.failure is None


def test_trouble_tells_what_an_exception_means() -> None:
    cases: list[tuple[Exception, str]] = [
        (GitError("git is not installed"), "config"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (OSError(errno.EACCES, "Permission denied"), "internal"),
        (ValueError("token sk-ant-api03-canary00000"), "internal"),
    ]
    for error, error_type in cases:
        trouble = Trouble()
        with trouble:
            raise error
        assert trouble.verdict is not None
        assert trouble.verdict.error_type == error_type
        assert (trouble.verdict.stack_trace is not None) is (error_type == "internal")
        assert "canary" not in str(trouble.verdict)


def test_trouble_lets_cancellation_pass() -> None:
    trouble = Trouble()
    with pytest.raises(asyncio.CancelledError), trouble:
        raise asyncio.CancelledError
    assert trouble.verdict is None


def read(line: bytes) -> list[Event]:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise UnreadableLine(str(error)) from error
    return [request(document["key"], 1)]


def line(number: int, size: int = 0) -> bytes:
    return json.dumps({"key": f"r{number}", "pad": "x" * size}).encode() + b"\n"


async def test_the_follower_reads_whole_lines_and_the_rest_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(line(1) + b"broken\n" + line(2)[:-4])
    live = live_state()
    follower = StreamFollower(path, read, live)
    follower.advance()
    assert live.requests == 1
    path.write_bytes(line(1) + b"broken\n" + line(2)[:-1])
    follower.advance()
    assert live.requests == 1
    await follower.finish()
    assert live.requests == 2


async def test_a_line_longer_than_a_batch_is_passed_over_and_the_next_is_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "stream"
    path.write_bytes(line(1) + b"x" * (20 * 1024**2) + b"\n" + line(2))
    live = live_state()
    await StreamFollower(path, read, live).finish()
    assert live.requests == 2


async def test_a_follower_that_falls_behind_skips_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gap ends in the middle of a line; what looks like a line of its own in there is none."""
    monkeypatch.setattr(stream, "_BACKLOG", 10_000)
    path = tmp_path / "stream"
    tail = b"".join(line(number) for number in range(100, 110))
    nested = b'{"key": "spoof"}'
    filler = b'"' + b"x" * (10_000 - len(tail) - len(nested) - 1 + 12_000)
    path.write_bytes(line(1) * 1000 + filler + nested + b"\n" + tail)
    assert path.stat().st_size - 10_000 > len(line(1)) * 1000
    live = live_state()
    await StreamFollower(path, read, live).finish()
    assert live.requests == 10
