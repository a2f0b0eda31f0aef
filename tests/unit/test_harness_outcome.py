"""The verdict on a session, from everything that can be known of its end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from acd.core.events import AgentFailed, LimitSeen, Reported
from acd.core.models import ErrorType
from acd.harness.outcome import Ending, failed, judge
from acd.harness.watch import EndReason

GOOD = Reported(models={}, final=True, ok=True)
BAD = Reported(models={}, final=True, ok=False, error_type="server", error_message="500")
VAGUE = Reported(models={}, final=True, ok=False, text="it failed")
GAVE_UP = AgentFailed(error_type="overloaded", message="529")
RESET = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("code", [0, None, -15, -9, 143, 129])
@pytest.mark.parametrize("reason", ["exited", "stopped", "timeout", "lingering", "flooded", None])
def test_a_good_report_decides(code: int | None, reason: EndReason | None) -> None:
    verdict = judge(Ending(reason=reason, exit_code=code, report=GOOD, printed=True))
    assert (verdict.status, verdict.error_type) == ("completed", None)
    assert not verdict.retryable


def test_unless_the_agent_itself_then_exits_badly() -> None:
    verdict = judge(Ending(reason="exited", exit_code=2, report=GOOD, printed=True))
    assert (verdict.status, verdict.error_type, verdict.ours) == ("failed", "unknown", True)


def test_an_error_that_it_got_over_does_not_matter() -> None:
    ending = Ending(reason="exited", exit_code=0, report=GOOD, failure=GAVE_UP, printed=True)
    assert judge(ending).status == "completed"


@pytest.mark.parametrize(
    ("reason", "error_type"),
    [
        ("stopped", "interrupted"),
        ("timeout", "timeout"),
        ("silent", "stalled"),
        ("flooded", "output_limit"),
        ("disk_full", "disk_full"),
    ],
)
def test_what_we_ended_it_for(reason: EndReason, error_type: ErrorType) -> None:
    for report in (None, BAD):
        verdict = judge(Ending(reason=reason, exit_code=143, report=report, printed=True))
        assert (verdict.status, verdict.error_type, verdict.ours) == ("failed", error_type, True)
        assert verdict.retryable


@pytest.mark.parametrize(
    ("report", "failure", "error_type", "message"),
    [
        (BAD, None, "server", "500"),
        (BAD, GAVE_UP, "server", "500"),
        (VAGUE, GAVE_UP, "overloaded", "529"),
        (VAGUE, None, "unknown", "it failed"),
        (None, GAVE_UP, "overloaded", "529"),
        (
            Reported(models={}, final=True, ok=False),
            None,
            "unknown",
            "the agent gave no reason",
        ),
    ],
)
def test_the_agents_own_words(
    report: Reported | None, failure: AgentFailed | None, error_type: ErrorType, message: str
) -> None:
    ends: list[tuple[EndReason | None, int | None]] = [
        ("exited", 1),
        ("exited", 0),
        ("lingering", 143),
        (None, None),
    ]
    for reason, code in ends:
        ending = Ending(reason=reason, exit_code=code, report=report, failure=failure, printed=True)
        verdict = judge(ending)
        assert (verdict.status, verdict.error_type) == ("failed", error_type)
        assert (verdict.message, verdict.ours) == (message, False)


@pytest.mark.parametrize(
    ("code", "printed", "error_type", "words"),
    [
        (1, False, "config", "exit status 1): bad flag"),
        (1, True, "unknown", "status 1"),
        (0, False, "unknown", "status 0"),
        (0, True, "unknown", "status 0"),
        (143, True, "killed", "signal 15"),
        (129, False, "killed", "signal 1,"),
        (-9, True, "killed", "signal 9"),
        (-11, False, "killed", "signal 11"),
        (None, True, "interrupted", "gone without a result"),
    ],
)
def test_without_any_words(
    code: int | None, printed: bool, error_type: ErrorType, words: str
) -> None:
    ending = Ending(reason="exited", exit_code=code, printed=printed, complaint="bad flag")
    verdict = judge(ending)
    assert (verdict.status, verdict.error_type, verdict.ours) == ("failed", error_type, True)
    assert verdict.message is not None
    assert words in verdict.message


def test_our_own_trouble_beats_everything_but_a_good_report() -> None:
    trouble = failed("internal", "a mistake", stack_trace="…")
    verdict = judge(Ending(reason="stopped", report=BAD, trouble=trouble))
    assert verdict == trouble
    assert judge(Ending(reason="stopped", report=GOOD, trouble=trouble)).status == "completed"


@pytest.mark.parametrize("error_type", ["usage_limit", "rate_limit"])
def test_limits_tell_when_they_end(error_type: ErrorType) -> None:
    rejected = LimitSeen(status="rejected", window="five_hour", resets_at=RESET)
    told = AgentFailed(error_type=error_type, message="limit", resets_at=RESET)
    untold = AgentFailed(error_type=error_type, message="limit")
    for failure, limit, window, resets_at in (
        (told, rejected, "five_hour", RESET),
        (untold, rejected, "five_hour", RESET),
        (told, None, "unknown", RESET),
        (untold, None, None, None),
        (untold, LimitSeen(status="warning", window="w", resets_at=RESET), None, None),
    ):
        verdict = judge(Ending(reason="exited", exit_code=1, failure=failure, limit=limit))
        assert (verdict.window, verdict.resets_at) == (window, resets_at)
        assert (verdict.error_type, verdict.retryable) == (error_type, True)


def test_a_warning_does_not_make_another_error_a_limit() -> None:
    limit = LimitSeen(status="rejected", window="five_hour", resets_at=RESET)
    verdict = judge(Ending(reason="exited", exit_code=1, report=BAD, limit=limit))
    assert (verdict.window, verdict.resets_at) == (None, None)


@pytest.mark.parametrize("error_type", ["auth", "billing", "config", "permission", "model"])
def test_what_only_a_person_can_change_is_not_tried_again(error_type: ErrorType) -> None:
    assert not failed(error_type, "no").retryable
