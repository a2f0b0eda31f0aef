"""The error table of claude-code.md, section 5, row by row, and the differences of 2.1.197."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acd.agents.claude_like import stream_events, transcript_events
from acd.agents.claude_like.failures import Failure, type_of_retry
from acd.core.events import AgentFailed, Event, Reported, RequestSeen, Retried

# What the synthetic assistant line says (status, error, api_error) → our type.
ASSISTANT = [
    (401, "authentication_failed", None, "auth"),
    (403, "authentication_failed", None, "auth"),
    (400, "billing_error", None, "billing"),
    (
        400,
        "invalid_request",
        None,
        "unknown",
    ),  # too long a prompt: only the result's terminal_reason tells
    (404, "model_not_found", None, "model"),
    (429, "rate_limit", None, "rate_limit"),
    (429, "rate_limit", "usage_limit_reached", "usage_limit"),
    (529, "server_error", None, "overloaded"),
    (500, "server_error", None, "server"),
    (503, "server_error", None, "server"),
    (None, "server_error", "connection_failed", "network"),
    (None, "server_error", None, "network"),  # 2.1.197
    (None, "max_output_tokens", "max_output_tokens", "output_limit"),
    (None, "max_output_tokens", None, "output_limit"),  # 2.1.197
    (None, "something new", "something new", "unknown"),
    (418, None, None, "unknown"),
    ("401", 7, ["x"], "unknown"),
]

# What the result line says (subtype, status, api_error, terminal_reason) → our type.
RESULT = [
    ("success", 401, None, "api_error", "auth"),
    ("success", 403, None, "api_error", "auth"),
    ("success", 400, None, "prompt_too_long", "context"),
    ("success", 400, None, "api_error", "unknown"),  # credit: only the assistant line tells
    ("success", 404, None, "api_error", "model"),
    ("success", 429, None, "api_error", "rate_limit"),
    ("success", 429, "usage_limit_reached", "api_error", "usage_limit"),
    ("success", 529, None, "api_error", "overloaded"),
    ("success", 500, None, "api_error", "server"),
    ("success", None, "connection_failed", "api_error", "network"),
    ("success", None, "max_output_tokens", "api_error", "output_limit"),
    ("success", 401, None, "completed", "auth"),  # 2.1.197 says completed whatever happened
    ("success", None, None, "completed", "unknown"),
    ("error_max_turns", None, None, "max_turns", "max_turns"),
    ("error_max_budget_usd", None, None, "budget_exhausted", "budget"),
    ("error_max_budget_usd", None, None, None, "budget"),  # 2.1.197
    ("error_during_execution", None, None, "aborted_streaming", "interrupted"),
    ("error_during_execution", None, None, "aborted_tools", "interrupted"),
    ("error_during_execution", None, None, "something new", "unknown"),
    ("error_something_new", None, None, None, "unknown"),
]

# What api_retry says (status, error) → our type.
RETRY = [
    (401, "authentication_failed", "auth"),
    (429, "rate_limit", "rate_limit"),
    (529, "overloaded", "overloaded"),
    (500, "server_error", "server"),
    (None, "unknown", "network"),
    (None, None, "network"),
    (None, "overloaded", "overloaded"),
    (400, "invalid_request", "unknown"),
]


def stream(**line: Any) -> list[Event]:  # noqa: ANN401
    return stream_events("claude-code", json.dumps(line).encode())


def transcript(**line: Any) -> list[Event]:  # noqa: ANN401
    return transcript_events("claude-code", json.dumps(line).encode())


def synthetic(text: str = "API Error: it failed") -> dict[str, Any]:
    usage = {"input_tokens": 0, "output_tokens": 0}
    content = [{"type": "text", "text": text}]
    return {"id": "x", "model": "<synthetic>", "usage": usage, "content": content}


@pytest.mark.parametrize(("status", "error", "api_error", "expected"), ASSISTANT)
def test_synthetic_assistant_line(
    status: Any,  # noqa: ANN401
    error: Any,  # noqa: ANN401
    api_error: Any,  # noqa: ANN401
    expected: str,
) -> None:
    (in_stream,) = stream(
        type="assistant",
        message=synthetic(),
        is_api_error_message=True,
        api_error_status=status,
        error=error,
        api_error=api_error,
    )
    (kept,) = transcript(
        type="assistant",
        message=synthetic(),
        isApiErrorMessage=True,
        apiErrorStatus=status,
        error=error,
        apiError=api_error,
    )
    assert isinstance(in_stream, AgentFailed)
    assert in_stream.error_type == expected
    assert in_stream.message == "API Error: it failed"
    assert kept == in_stream


@pytest.mark.parametrize(("subtype", "status", "api_error", "reason", "expected"), RESULT)
def test_result_line(
    subtype: str, status: int | None, api_error: str | None, reason: str | None, expected: str
) -> None:
    events = stream(
        type="result",
        subtype=subtype,
        is_error=True,
        api_error_status=status,
        api_error=api_error,
        terminal_reason=reason,
        errors=["it ended"],
    )
    report = events[-1]
    assert isinstance(report, Reported)
    assert (report.final, report.ok, report.error_type) == (True, False, expected)
    assert report.error_message == "it ended"
    told = [event for event in events if isinstance(event, AgentFailed)]
    # Only the ends that no synthetic line tells are told by the result.
    assert [event.error_type for event in told] == [expected] * subtype.startswith("error_")


@pytest.mark.parametrize(
    ("is_error", "subtype", "ok"),
    [
        (False, "success", True),
        (None, "success", True),
        (True, "success", False),
        (False, "error_max_turns", False),
        (False, None, False),
    ],
)
def test_success_needs_both_subtype_and_no_error(
    is_error: bool | None, subtype: str | None, ok: bool
) -> None:
    report = stream(type="result", subtype=subtype, is_error=is_error)[-1]
    assert isinstance(report, Reported)
    assert report.ok is ok
    assert (report.error_type is None) is ok


@pytest.mark.parametrize(("status", "error", "expected"), RETRY)
def test_retry(status: int | None, error: str | None, expected: str) -> None:
    assert type_of_retry(status, error) == expected


def test_a_retry_is_the_same_in_stream_and_transcript_to_the_millisecond() -> None:
    (said,) = stream(
        type="system", subtype="api_retry", attempt=2, retry_delay_ms=1136.4, error_status=529
    )
    (kept,) = transcript(
        type="system",
        subtype="api_error",
        retryAttempt=2,
        retryInMs=1136.4,
        error={"status": 529, "formatted": "529 Overloaded"},
    )
    assert isinstance(said, Retried)
    assert isinstance(kept, Retried)
    assert (said.error_type, said.error_code, said.attempt, said.delay_ms) == (
        kept.error_type,
        kept.error_code,
        kept.attempt,
        kept.delay_ms,
    )
    assert said.delay_ms == 1136


def test_a_429_with_a_rejected_limit_is_a_usage_limit_with_its_reset() -> None:
    limit = {"status": "rejected", "resetsAt": 1795383625, "rateLimitType": "five_hour"}
    (event,) = stream(
        type="assistant",
        message=synthetic(),
        is_api_error_message=True,
        api_error_status=429,
        error="rate_limit",
        api_error_params={"rate_limit_info": limit},
    )
    assert isinstance(event, AgentFailed)
    assert event.error_type == "usage_limit"
    assert event.resets_at is not None
    assert event.resets_at.isoformat() == "2026-11-22T21:40:25+00:00"


def test_text_never_decides() -> None:
    (event,) = stream(
        type="assistant",
        message=synthetic("401 Invalid API key. You've hit your usage limit. 529 Overloaded"),
        is_api_error_message=True,
    )
    assert isinstance(event, AgentFailed)
    assert event.error_type == "unknown"


def test_an_aborted_request_is_still_a_request() -> None:
    usage = {"input_tokens": 5, "output_tokens": 1}
    message = {"id": "m", "model": "claude-opus-5-5", "usage": usage, "content": []}
    (event,) = stream(type="assistant", message=message, aborted=True)
    assert isinstance(event, RequestSeen)


def test_the_error_code_is_the_most_exact_thing_there_is() -> None:
    assert Failure(status=401, assistant_error="authentication_failed").error_code == "401"
    assert Failure(subtype="error_max_turns").error_code == "error_max_turns"
    assert Failure(api_error="connection_failed", assistant_error="server_error").error_code == (
        "connection_failed"
    )
    assert Failure(subtype="success").error_code is None
