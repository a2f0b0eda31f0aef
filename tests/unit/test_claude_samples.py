"""Every recording of the genuine CLI against figures that were read off the raw files by hand.

The samples are what Claude Code 2.1.330 (`v197_…`: 2.1.197) printed and kept; see claude-code.md. The fold below does
in a few lines what the ledger does: of all snapshots of a request the greatest counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from acd.agents.registry import load_adapter
from acd.core.events import (
    AgentFailed,
    AgentStarted,
    Event,
    LimitSeen,
    ModelFellBack,
    PermissionDenied,
    Reported,
    RequestSeen,
    Retried,
    ToolEnded,
    ToolUsed,
    Unrecognised,
)
from acd.core.models import Usage

SAMPLES = Path(__file__).parent.parent / "data" / "claude-code"


class Tokens(NamedTuple):
    """In the order of the columns."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


@dataclass(frozen=True)
class Expected:
    requests: int
    tokens: Tokens
    """Sum over requests, the greatest snapshot of each."""
    models: str = "claude-opus-5-5"
    own: Tokens | None = None
    """The session's own part by its last report; None: as `tokens`."""
    own_cost: str | None = None
    total_cost: str | None = None
    """None: as `own_cost`."""
    turns: int | None = None
    ok: bool | None = True
    error_type: str | None = None
    error_code: str | None = None
    retries: int = 0
    fallbacks: int = 0
    denials: int = 0
    tool_errors: int = 0
    tools: int = 0
    subagent_requests: int = 0
    version: str = "2.1.330"


COMMITTING = Tokens(525, 125, 6800, 2000, 1800, 200)
NOTHING = Tokens()


def refused(error_type: str, error_code: str, retries: int = 0) -> Expected:
    """A session whose only request was never answered."""
    return Expected(
        0,
        NOTHING,
        models="",
        own_cost="0",
        turns=1,
        ok=False,
        error_type=error_type,
        error_code=error_code,
        retries=retries,
    )


# Costs by the price table of claude-code.md, section 4, as a check on the agent's own figures. a_success:
# 525 x 4 + 125 x 20 + 6800 x 0.20 + 1800 x 5 + 200 x 8 = 16,560 millionths of a dollar.
TABLE: dict[str, Expected] = {
    "a_success": Expected(5, COMMITTING, own_cost="0.01656", turns=5, tools=4),
    "b_parallel": Expected(
        2, Tokens(24, 84, 1000, 1000, 1000), own_cost="0.006976", turns=4, tools=3, tool_errors=1
    ),
    "c_subagent": Expected(
        4,
        Tokens(3008, 228, 2700, 2700, 2700),
        own_cost="0.030632",
        turns=2,
        tools=2,
        subagent_requests=2,
    ),
    "i_maxturns": Expected(
        3,
        Tokens(3000, 300),
        own_cost="0.018",
        turns=4,
        ok=False,
        error_type="max_turns",
        error_code="error_max_turns",
        tools=3,
    ),
    "k_sigkill": Expected(1, Tokens(31, 71, 0, 100, 100), own=NOTHING, ok=None, tools=1),
    "k_sigterm": Expected(1, Tokens(31, 71, 0, 100, 100), own_cost="0.002044", ok=None, tools=1),
    "l_partial": Expected(5, COMMITTING, own_cost="0.01656", turns=5, tools=4),
    "m_fallback": Expected(
        5,
        COMMITTING,
        models="claude-sonnet-5",
        own_cost="0.00896",
        turns=5,
        retries=2,
        fallbacks=1,
        tools=4,
    ),
    "n_deny": Expected(
        2, Tokens(64, 144, 100, 100, 100), own_cost="0.003656", turns=2, tools=1, denials=1
    ),
    "q_oauth_e429u": refused("usage_limit", "429"),
    "q_oauth_rlwarn": Expected(
        1, Tokens(17, 19), models="claude-sonnet-5-5", own_cost="0.000224", turns=1
    ),
    "r1_e401": refused("auth", "401", retries=1),
    "r1_e404": refused("model", "404"),
    "r1_e429": refused("rate_limit", "429", retries=1),
    "r1_e529": refused("overloaded", "529", retries=1),
    "r1_refused": refused("network", "connection_failed", retries=1),
    "s_resume1": Expected(1, Tokens(17, 19), own_cost="0.000448", turns=1),
    # No transcript of it was kept: the request has the output of its message_start, the report the truth.
    "s_resume2": Expected(
        1,
        Tokens(17, 1),
        own=Tokens(17, 19),
        own_cost="0.000448",
        total_cost="0.000896",
        turns=1,
    ),
    "v197_success": Expected(
        5,
        COMMITTING,
        models="claude-opus-4-8",
        # 2.1.197 does not split cache writes in its report.
        own=Tokens(525, 125, 6800, 2000),
        own_cost="0.0224",
        turns=5,
        tools=4,
        version="2.1.197",
    ),
}


@dataclass(frozen=True)
class Read:
    """The events of a sample, of its stream and of its transcripts."""

    stream: list[Event]
    transcripts: list[Event]

    @property
    def all(self) -> list[Event]:
        return self.stream + self.transcripts


def read(name: str) -> Read:
    adapter = load_adapter("claude-code")
    stream = (SAMPLES / f"{name}.jsonl").read_bytes().splitlines()
    kept = [
        line
        for path in sorted(SAMPLES.glob(f"{name}.transcript*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]
    return Read(
        [event for line in stream for event in adapter.read_stream(line)],
        [event for line in kept for event in adapter.read_transcript(line)],
    )


def fold_requests(events: list[Event]) -> dict[str, RequestSeen]:
    greatest: dict[str, RequestSeen] = {}
    for event in events:
        if isinstance(event, RequestSeen):
            known = greatest.get(event.request_key)
            if known is None or event.usage.total >= known.usage.total:
                greatest[event.request_key] = event
    return greatest


def summed(usages: list[Usage]) -> Tokens:
    return Tokens(
        sum(u.input_tokens for u in usages),
        sum(u.output_tokens for u in usages),
        sum(u.cache_read_tokens for u in usages),
        sum(u.cache_write_tokens for u in usages),
        sum(u.cache_write_5m_tokens for u in usages),
        sum(u.cache_write_1h_tokens for u in usages),
    )


def of_type(kind: type[Event], events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def test_the_table_names_every_sample() -> None:
    assert set(TABLE) == {path.stem for path in SAMPLES.glob("*.exit")}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_requests(name: str) -> None:
    expected, requests = TABLE[name], fold_requests(read(name).all)
    assert len(requests) == expected.requests
    assert summed([request.usage for request in requests.values()]) == expected.tokens
    assert {r.model for r in requests.values()} == set(filter(None, [expected.models]))
    subagents = [r.subagent for r in requests.values() if r.subagent]
    assert subagents == ["general-purpose"] * expected.subagent_requests
    assert all(key.startswith("claude-code:msg_") for key in requests)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_report(name: str) -> None:
    expected, events = TABLE[name], read(name)
    final = [event for event in events.stream if isinstance(event, Reported)]
    kept = [event for event in events.transcripts if isinstance(event, Reported)]
    assert len(final) == (0 if expected.ok is None else 1)
    reports = final or kept
    assert len(reports) == (0 if name == "k_sigkill" else 1)
    for report in reports:
        assert report.final is bool(final)
        assert report.cost_usd == Decimal(expected.total_cost or expected.own_cost or "")
        part = report.models if report.own is None else report.own
        assert summed([m.usage for m in part.values()]) == (expected.own or expected.tokens)
        assert sum(m.cost_usd or 0 for m in part.values()) == Decimal(expected.own_cost or "")
        assert "".join(part) == expected.models
        assert report.turns == expected.turns
    for report in final:
        assert report.ok is expected.ok
        assert report.error_type == expected.error_type


@pytest.mark.parametrize("name", sorted(TABLE))
def test_failures(name: str) -> None:
    expected, events = TABLE[name], read(name)
    for part in (events.stream, events.transcripts):
        failed = [event for event in part if isinstance(event, AgentFailed)]
        for event in failed:
            assert (event.error_type, event.error_code) == (
                expected.error_type,
                expected.error_code,
            )
            assert event.message
    # The limits that the agent holds itself leave no trace in its transcript.
    in_stream = of_type(AgentFailed, events.stream)
    assert len(in_stream) == (0 if expected.error_type is None else 1)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_retries_and_fallbacks_are_the_same_in_stream_and_transcript(name: str) -> None:
    expected, events = TABLE[name], read(name)
    told: list[list[tuple[object, ...]]] = []
    for part in (events.stream, events.transcripts):
        retries = [event for event in part if isinstance(event, Retried)]
        told.append([(r.error_type, r.error_code, r.attempt, r.delay_ms) for r in retries])
        assert len(of_type(ModelFellBack, part)) == expected.fallbacks
    assert len(told[0]) == expected.retries
    assert told[0] == told[1]


@pytest.mark.parametrize("name", sorted(TABLE))
def test_tools(name: str) -> None:
    expected, stream = TABLE[name], read(name).stream
    used = [event for event in stream if isinstance(event, ToolUsed)]
    ended = [event for event in stream if isinstance(event, ToolEnded)]
    assert len(used) == expected.tools
    assert {event.tool_use_id for event in ended} == {event.tool_use_id for event in used}
    assert all(event.text for event in used)
    outcomes = [event.outcome for event in ended]
    assert outcomes.count("error") == expected.tool_errors
    assert outcomes.count("denied") == expected.denials
    assert len(of_type(PermissionDenied, stream)) == expected.denials


@pytest.mark.parametrize("name", sorted(TABLE))
def test_who_the_agent_is(name: str) -> None:
    events = read(name)
    folder = "s_resume1" if name == "s_resume2" else name
    for part in (events.stream, events.transcripts):
        for event in part:
            if isinstance(event, AgentStarted):
                assert event.agent_version == TABLE[name].version
                assert event.cwd == f"/scratch/{folder}/repo"
    assert len(of_type(AgentStarted, events.stream)) == 1
    assert len(of_type(AgentStarted, events.transcripts)) == (0 if name == "s_resume2" else 1)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_nothing_is_unrecognised(name: str) -> None:
    assert of_type(Unrecognised, read(name).all) == []


def test_a_subscription_is_told_from_an_api_key() -> None:
    started = {
        name: event.api_key
        for name in ("a_success", "q_oauth_rlwarn")
        for event in read(name).stream
        if isinstance(event, AgentStarted)
    }
    assert started == {"a_success": True, "q_oauth_rlwarn": False}


def test_limits_of_a_subscription() -> None:
    (warning,) = [e for e in read("q_oauth_rlwarn").stream if isinstance(e, LimitSeen)]
    assert (warning.status, warning.window, warning.utilization) == ("warning", "five_hour", 0.92)
    assert warning.resets_at is not None
    assert warning.resets_at.timestamp() == 1795383624

    refused = read("q_oauth_e429u")
    (limit,) = [e for e in refused.stream if isinstance(e, LimitSeen)]
    assert (limit.status, limit.utilization) == ("rejected", 1.0)
    failures = [e for e in refused.all if isinstance(e, AgentFailed)]
    assert [f.resets_at.timestamp() for f in failures if f.resets_at] == [1795383625] * 2
