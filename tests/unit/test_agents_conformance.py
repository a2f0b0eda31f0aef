"""Both adapters conform; and the suite notices an adapter that does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from acd.agents.claude_code import ClaudeCode
from acd.agents.registry import adapter_names, load_adapter
from acd.core.events import AgentStarted, Event, RequestSeen, TextSaid
from acd.core.models import Usage
from acd.core.settings import Settings
from acd.testing.conformance import garbage, problems_of

SAMPLES = Path(__file__).parent.parent / "data" / "claude-code"


def golden(pattern: str) -> list[bytes]:
    """Lines of the recordings named by `pattern`; those of a stream unless it says `transcript`."""
    return [
        line
        for path in sorted(SAMPLES.glob(pattern))
        if ("transcript" in path.name) == ("transcript" in pattern)
        for line in path.read_bytes().splitlines()
    ]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, scenario=tmp_path / "s.json", claude_config_dir=tmp_path)


@pytest.mark.parametrize("name", adapter_names())
def test_adapters_conform(name: str, settings: Settings) -> None:
    problems = problems_of(
        load_adapter(name),
        settings,
        stream=golden("*.jsonl"),
        transcript=golden("*.transcript*.jsonl"),
    )
    assert problems == []


class WithState(ClaudeCode):
    """Remembers the session's id, which a reader that starts in the middle never saw."""

    session = "?"

    def read_stream(self, line: bytes) -> list[Event]:
        events = super().read_stream(line)
        for event in events:
            if isinstance(event, AgentStarted):
                self.session = event.agent_session_id
        return [*events, TextSaid(role="agent", text=self.session)]


class WithForeignKeys(ClaudeCode):
    def read_stream(self, line: bytes) -> list[Event]:
        return [
            msgspec.structs.replace(event, request_key=event.request_key.partition(":")[2])
            if isinstance(event, RequestSeen)
            else event
            for event in super().read_stream(line)
        ]


class WithBareDecoder(ClaudeCode):
    def read_stream(self, line: bytes) -> list[Event]:
        return [TextSaid(role="agent", text=str(msgspec.json.decode(line)["type"]))]


class WithWrongSum(ClaudeCode):
    def read_stream(self, line: bytes) -> list[Event]:
        usage = Usage(cache_write_5m_tokens=3, output_tokens=-1)
        return [RequestSeen(request_key="claude-code:1", model="", usage=usage)]


class WithNul(ClaudeCode):
    def read_stream(self, line: bytes) -> list[Event]:
        return [TextSaid(role="agent", text="a\0b")]


class WithOpenEnvironment(ClaudeCode):
    environment_names = ("*",)


class WithAnyTranscript(ClaudeCode):
    def transcripts(self, agent_session_id: str, workspace: Path, settings: Settings) -> list[Path]:
        return [Path("/etc/passwd")]


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (WithState, "keeps state"),
        (WithForeignKeys, "does not begin with 'claude-code'"),
        (WithBareDecoder, "instead of UnreadableLine"),
        (WithWrongSum, "exceed their sum"),
        (WithWrongSum, "negative usage"),
        (WithWrongSum, "without a model"),
        (WithNul, "cannot store"),
        (WithOpenEnvironment, "nearly everything"),
        (WithAnyTranscript, "finds transcripts"),
    ],
)
def test_the_suite_notices(
    make: Callable[[], ClaudeCode], problem: str, settings: Settings
) -> None:
    lines = golden("a_success.jsonl") + golden("c_subagent.jsonl")
    problems = problems_of(make(), settings, stream=lines)
    assert any(problem in found for found in problems)


def test_garbage_is_of_many_kinds() -> None:
    assert len(set(garbage())) > 20
