"""What a target does next, for every state it can be in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import msgspec
import pytest

from acd.core.models import ErrorType, Target
from acd.core.settings import Settings
from acd.queue.limits import HeldLimit
from acd.queue.turn import (
    Done,
    FeatureCount,
    PastSession,
    Rules,
    Step,
    Stop,
    TargetState,
    Wait,
    Work,
    backoff,
    next_step,
    rules_of,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TARGET = Target(repo_id="a", name="A", path="/a", agent="scripted", max_sessions=50)
SOME_LEFT = FeatureCount(total=3, pending=2)
NONE_LEFT = FeatureCount(total=3, pending=0)
RULES = Rules(retry_base=5, retry_max=900, max_failures=5, breaker_probes=0)


def state(**given: object) -> TargetState:
    changes: dict[str, Any] = dict(given)
    own = {key: changes.pop(key) for key in list(changes) if key in Target.__struct_fields__}
    target = msgspec.structs.replace(TARGET, **own)
    return msgspec.structs.replace(TargetState(target, "pending"), **changes)


def failed(error_type: str | None, seconds_ago: float = 0.0) -> PastSession:
    at = NOW - timedelta(seconds=seconds_ago)
    return PastSession(uuid4(), "failed", error_type, "it broke", at)  # type: ignore[arg-type]


COMPLETED = PastSession(uuid4(), "completed", finished_at=NOW)


def decide(
    known: TargetState,
    features: FeatureCount | None = SOME_LEFT,
    *,
    rules: Rules = RULES,
    resets_at: datetime | None = None,
) -> Step:
    return next_step(known, features, rules, NOW, resets_at=resets_at)


def test_without_a_list_comes_the_initializer() -> None:
    for features in (None, FeatureCount(0, 0)):
        step = decide(state(), features)
        assert isinstance(step, Work)
        assert step.session_type == "initializer"


def test_with_features_left_comes_a_coding_session() -> None:
    step = decide(state(last_number=7))
    assert step == Work("coding", "session 8: 2 of 3 features to do")


def test_none_left_is_complete_also_when_the_last_session_failed() -> None:
    step = decide(state(recent=[failed("auth")]), NONE_LEFT)
    assert isinstance(step, Done)
    assert step.status == "complete"


def test_disabled_and_paused_targets_are_left_alone() -> None:
    assert decide(state(enabled=False)) == Done("disabled")
    assert decide(state(status="paused")) == Done("paused")


def test_its_sessions_are_used_up() -> None:
    assert isinstance(decide(state(max_sessions=2, sessions_used=1)), Work)
    step = decide(state(max_sessions=2, sessions_used=2))
    assert step == Stop("its 2 sessions (maxSessionsPerRepo) are used up")


def test_once_is_one_session_a_run_whatever_became_of_it() -> None:
    once = Rules(once=True)
    assert isinstance(decide(state(sessions_used=9), rules=once), Work)
    step = decide(state(sessions_since=1, recent=[failed("server")]), rules=once)
    assert isinstance(step, Done)


def test_until_complete_false_is_one_completed_session_a_run() -> None:
    assert isinstance(decide(state(until_complete=False), NONE_LEFT), Work)
    assert isinstance(decide(state(until_complete=False, sessions_since=1)), Work)
    assert isinstance(decide(state(until_complete=False, completed_since=1)), Done)


@pytest.mark.parametrize("error_type", ["auth", "billing", "config", "model", "permission"])
def test_what_only_a_person_can_mend_stops_the_target(error_type: str) -> None:
    assert decide(state(recent=[failed(error_type)])) == Stop(f"{error_type}: it broke")


STOPPING = {"auth", "billing", "config", "model", "permission"}


@pytest.mark.parametrize("error_type", [*sorted(set(get_args(ErrorType)) - STOPPING), None])
def test_everything_else_is_tried_again_after_a_wait(error_type: str | None) -> None:
    last = failed(error_type)
    step = decide(state(recent=[last, COMPLETED]))
    assert isinstance(step, Wait)
    assert NOW <= step.until <= NOW + timedelta(seconds=5)
    later = next_step(state(recent=[last, COMPLETED]), SOME_LEFT, RULES, step.until)
    assert isinstance(later, Work)


def test_the_wait_grows_with_failures_in_a_row_and_has_full_jitter() -> None:
    longest = [
        max(backoff(n, RULES, UUID(int=seed)).total_seconds() for seed in range(300))
        for n in range(1, 12)
    ]
    for measured, expected in zip(longest, [5, 10, 20, 40, 80, 160, 320, 640, 900], strict=False):
        assert 0.95 * expected < measured <= expected
    shortest = min(backoff(9, RULES, UUID(int=seed)).total_seconds() for seed in range(300))
    assert shortest < 20
    assert backoff(10**6, RULES, UUID(int=1)).total_seconds() <= 900


def test_the_wait_is_the_same_however_often_it_is_asked_for() -> None:
    known = state(recent=[failed("server"), failed("network")])
    assert decide(known) == decide(known)


def test_too_many_failures_in_a_row_block_the_target() -> None:
    four = [failed("server", seconds_ago=3600) for _ in range(4)]
    assert isinstance(decide(state(recent=four)), Work)
    step = decide(state(recent=[failed("network"), *four]))
    assert step == Stop("5 sessions in a row failed, the last with network: it broke")
    assert isinstance(decide(state(recent=[*four, COMPLETED, *four])), Work)


def test_a_session_that_still_runs_breaks_no_row() -> None:
    running = PastSession(uuid4(), "running")
    assert isinstance(decide(state(recent=[running, *[failed("server")] * 5])), Stop)


def test_a_limit_is_waited_for_and_never_counts() -> None:
    reset = NOW + timedelta(hours=2)
    limits = [failed("usage_limit", seconds_ago=60)] * 9
    known = state(recent=limits, limits=[HeldLimit("five_hour", NOW, reset)])
    step = decide(known)
    assert isinstance(step, Wait)
    assert timedelta(seconds=1) <= step.until - reset <= timedelta(seconds=2)
    assert step.reason == "limit of scripted (five_hour)"
    after = next_step(known, SOME_LEFT, RULES, step.until)
    assert isinstance(after, Work)


def test_a_limit_that_another_target_met_holds_this_one_back_too() -> None:
    step = decide(state(limits=[HeldLimit("seven_day", NOW, NOW + timedelta(seconds=9))]))
    assert isinstance(step, Wait)


def test_a_reset_that_only_the_session_told_is_waited_for() -> None:
    known = state(recent=[failed("rate_limit")])
    step = decide(known, resets_at=NOW + timedelta(minutes=3))
    assert isinstance(step, Wait)
    assert step.until > NOW + timedelta(minutes=3)


def test_an_old_reset_is_no_excuse_for_a_new_rate_limit() -> None:
    known = state(
        recent=[failed("rate_limit")],
        limits=[HeldLimit("five_hour", NOW - timedelta(days=4), NOW - timedelta(days=3))],
    )
    step = decide(known)
    assert isinstance(step, Wait)
    assert step.until <= NOW + timedelta(seconds=5)


def test_the_delay_between_sessions() -> None:
    known = state(session_delay_s=30, last_finished_at=NOW - timedelta(seconds=10))
    assert decide(known) == Wait(NOW + timedelta(seconds=20), "sessionDelay of the queue file")
    assert isinstance(decide(state(session_delay_s=30)), Work)


def test_rules_come_from_the_settings_and_the_queue_file() -> None:
    settings = Settings(retry_base=1, retry_max=2, max_failures=3)
    assert rules_of(settings) == Rules(False, 1, 2, 3)
    assert rules_of(settings, once=True, max_retries=0) == Rules(True, 1, 2, 1)


BREAKER = Rules(max_failures=2, breaker_cooldown=60, breaker_probes=2, retry_base=0.001)


def test_an_open_breaker_rests_then_lets_one_session_through() -> None:
    known = state(recent=[failed("server"), failed("server")])
    step = decide(known, rules=BREAKER)
    assert isinstance(step, Wait)
    assert step.until == NOW + timedelta(seconds=60)
    assert "2 sessions in a row failed" in step.reason
    assert "(1 of 2)" in step.reason
    assert isinstance(next_step(known, SOME_LEFT, BREAKER, step.until), Work)


def test_a_good_probe_closes_the_breaker_and_failed_ones_block_the_target() -> None:
    closed = state(recent=[failed("server", 1), COMPLETED, *[failed("server")] * 3])
    assert isinstance(decide(closed, rules=BREAKER), Work)
    third = decide(state(recent=[failed("server")] * 3), rules=BREAKER)
    assert isinstance(third, Wait)
    assert "(2 of 2)" in third.reason
    last = decide(state(recent=[failed("server")] * 4), rules=BREAKER)
    assert last == Stop("4 sessions in a row failed, the last with server: it broke")


def test_a_session_that_ran_out_after_progress_is_no_failure() -> None:
    useful = msgspec.structs.replace(failed("budget"), progressed=True)
    assert isinstance(decide(state(recent=[useful] * 9)), Work)
    assert isinstance(decide(state(recent=[failed("budget")])), Wait)


def test_sessions_without_progress_block_the_target() -> None:
    progress = msgspec.structs.replace(COMPLETED, progressed=True)
    idle = [COMPLETED, failed("network", 3600), failed("max_turns", 3600)]
    assert not isinstance(decide(state(recent=[*idle, progress, COMPLETED])), Stop)
    step = decide(state(recent=[COMPLETED, *idle, progress]))
    assert isinstance(step, Stop)
    assert step.reason.startswith("3 sessions in a row made no progress")


def test_false_claims_of_what_was_given_up_are_no_progress() -> None:
    lie = PastSession(uuid4(), "completed", progressed=True, rejected=("F1",))
    assert not isinstance(decide(state(recent=[lie] * 5)), Stop)
    step = decide(state(recent=[lie] * 6))
    assert isinstance(step, Stop)
    assert step.reason.endswith("features were claimed again that had been rejected too often")
    useful = msgspec.structs.replace(lie, passed=True)
    assert not isinstance(decide(state(recent=[lie, lie, useful, *[lie] * 4])), Stop)
    elsewhere = msgspec.structs.replace(lie, rejected=("F2",))
    assert not isinstance(decide(state(recent=[lie, lie, elsewhere, *[lie] * 4])), Stop)


def test_initializers_that_leave_no_list_block_the_target() -> None:
    busy = PastSession(uuid4(), "completed", session_type="initializer", progressed=True)
    assert isinstance(decide(state(recent=[busy] * 2), None), Work)
    step = decide(state(recent=[busy] * 3), FeatureCount(0, 0))
    assert step == Stop("3 initializer sessions were completed, and there is no feature list")


def test_a_finished_target_is_not_begun_anew_without_its_list() -> None:
    for features in (None, FeatureCount(0, 0)):
        step = decide(state(status="complete"), features)
        assert isinstance(step, Done)
    assert isinstance(decide(state(status="complete")), Work)  # a feature was added, or regressed


def test_after_a_reset_a_session_has_to_go_first() -> None:
    known = state(limits=[HeldLimit("five_hour", NOW, NOW - timedelta(minutes=1))])
    step = decide(known)
    assert isinstance(step, Work)
    assert step.canary == ("five_hour",)


def test_a_limit_of_one_model_holds_back_that_model_alone() -> None:
    reset = NOW + timedelta(hours=1)
    known = state(limits=[HeldLimit("seven_day_opus", NOW, reset)])
    assert isinstance(next_step(known, SOME_LEFT, RULES, NOW, model="claude-opus-5-5"), Wait)
    free = next_step(known, SOME_LEFT, RULES, NOW, model="haiku")
    assert isinstance(free, Work)
    assert free.canary == ()
    assert isinstance(decide(known), Wait)  # whoever does not know the model waits


def test_a_limit_without_a_reset_is_waited_for_a_while() -> None:
    known = state(limits=[HeldLimit("unknown", NOW)])
    step = decide(known)
    assert isinstance(step, Wait)
    assert timedelta(seconds=300) < step.until - NOW <= timedelta(seconds=302)


def test_features_that_were_rejected_too_often_are_given_up() -> None:
    known = state(rejections={"F2": 3, "F1": 2})
    assert known.given_up(3) == ["F2"]
    assert isinstance(decide(known, FeatureCount(3, 1, ("F2",))), Work)
    step = decide(known, FeatureCount(3, 0, ("F2",)))
    assert step == Stop("only features are left that were rejected too often: F2")
