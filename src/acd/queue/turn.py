"""What a target does next: a pure function of what is known of it.

A turn is one look at a target and at most one session. Nothing is remembered between turns but rows and files, so a
turn may come at any time, twice, or after a crash: it sees what is due and decides again.

What failures and idle sessions lead to stands in `acd.queue.failing`. They count from the moment at which the turns of
a target were begun (`acd run` begins them anew): whoever starts the queue again gives every target another chance.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from acd.core.budgets import tighter
from acd.queue.budgets import before_a_session
from acd.queue.depending import after_dependencies
from acd.queue.failing import after_failures, after_no_progress, backoff, failures_in_a_row
from acd.queue.limits import holding, wait_for_reset, words_of
from acd.queue.state import FeatureCount, PastSession, Rules, TargetState, rules_of
from acd.queue.steps import Done, Step, Stop, Wait, Work

__all__ = [
    "Done",
    "FeatureCount",
    "PastSession",
    "Rules",
    "Step",
    "Stop",
    "TargetState",
    "Wait",
    "Work",
    "backoff",
    "failures_in_a_row",
    "next_step",
    "rules_of",
]


def next_step(
    state: TargetState,
    features: FeatureCount | None,
    rules: Rules,
    now: datetime,
    *,
    resets_at: datetime | None = None,
    model: str | None = None,
) -> Step:
    """Decide.

    Args:
        state: as the database has it.
        features: the target's list as it stands now; None where there is no list yet.
        rules: see there.
        now: the time, with its zone.
        resets_at: when the limit that the last session met is lifted, where that session said it.
        model: what the session is to work with; None: not known, so that every limit counts.
    """
    return (
        _over(state, features, rules)
        or after_dependencies(state, now)
        or after_no_progress(state, features, rules)
        or before_a_session(tighter(rules.budget, state.target.budget), state.spending, now)
        or _limited(state, rules, now, resets_at, model)
        or after_failures(state, rules, now)
        or _paced(state, now)
        or _work(state, features, model)
    )


def _over(state: TargetState, features: FeatureCount | None, rules: Rules) -> Step | None:
    target = state.target
    if not target.enabled or state.status == "paused":
        return Done("disabled" if not target.enabled else "paused")
    if target.until_complete and features and features.given_up and not features.pending:
        return Stop(
            f"only features are left that were rejected too often: {', '.join(features.given_up)}"
        )
    if target.until_complete and features and features.total and not features.pending:
        return Done(_all_done(features.total), "complete")
    if target.until_complete and state.status == "complete" and not (features and features.total):
        return Done("it was complete, and its feature list is gone: it is not begun anew")
    if state.sessions_used >= target.max_sessions:
        return Stop(f"its {target.max_sessions} sessions (maxSessionsPerRepo) are used up")
    if rules.once and state.sessions_since:
        return Done("one session in this run")
    if not target.until_complete and state.completed_since:
        return Done("one completed session in each run (untilComplete is false)")
    return None


def _all_done(total: int) -> str:
    return (
        "its only feature is done" if total == 1 else f"none of its {total} features is left to do"
    )


def _limited(
    state: TargetState,
    rules: Rules,
    now: datetime,
    resets_at: datetime | None,
    model: str | None,
) -> Step | None:
    held = holding(state.limits, model)
    found = wait_for_reset(held, resets_at, rules.patience, state.target.id, now)
    if found is None:
        return None
    until, window = found
    return Wait(until, words_of(state.target.agent, held, window), cause="limit")


def _paced(state: TargetState, now: datetime) -> Step | None:
    if state.last_finished_at is None or not state.target.session_delay_s:
        return None
    until = state.last_finished_at + timedelta(seconds=state.target.session_delay_s)
    return Wait(until, "sessionDelay of the queue file") if until > now else None


def _work(state: TargetState, features: FeatureCount | None, model: str | None) -> Step:
    number = state.last_number + 1
    canary = tuple(sorted(limit.window for limit in holding(state.limits, model)))
    if features is None or features.total == 0:
        return Work("initializer", f"session {number}: there is no feature list yet", canary)
    told = f"session {number}: {features.pending} of {features.total} features to do"
    return Work("coding", told, canary)
