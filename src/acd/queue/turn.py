"""What a target does next: a pure function of what is known of it.

A turn is one look at a target and at most one session. Nothing is remembered between turns but rows and files, so a
turn may come at any time, twice, or after a crash: it sees what is due and decides again.

What is done about the error that ended the last session:

- `usage_limit`, and `rate_limit` with a known reset: wait for the reset. `usage_limit` never counts as a failure.
- `auth`, `billing`, `config`, `model`, `permission`: stop the target. The next session would meet the same refusal
  (`permission` is what an account may not do; a tool call that was denied does not end a session), and only a person
  can change it.
- everything else (`server`, `network`, `overloaded`, `rate_limit` without a reset, `timeout`, `stalled`, `killed`,
  `interrupted`, `context`, `output_limit`, `max_turns`, `budget`, `disk_full`, `internal`, `unknown`, …): a fresh
  session after a wait that doubles with each failure in a row, with full jitter; after `max_failures` of them in a
  row the target is blocked.

Failures count from the moment at which the turns of a target were begun (`acd run` begins them anew): whoever starts
the queue again gives every target another chance.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from acd.core.models import ErrorType, SessionStatus, SessionType, Target, TargetStatus
from acd.core.settings import Settings

_STOP: frozenset[str] = frozenset({"auth", "billing", "config", "model", "permission"})
_LIMITS: frozenset[str] = frozenset({"usage_limit", "rate_limit"})
_AFTER_RESET = timedelta(seconds=1)
_RESET_JITTER_S = 1.0
"""Added after a reset, so that clocks that differ a little and many targets at once do no harm."""


class PastSession(msgspec.Struct, frozen=True):
    """How a session of a target went."""

    id: UUID
    status: SessionStatus
    error_type: ErrorType | None = None
    error_message: str | None = None
    finished_at: datetime | None = None


class FeatureCount(msgspec.Struct, frozen=True):
    """How many features a list holds, and how many of them are left to do: neither passing nor skipped."""

    total: int
    pending: int


class TargetState(msgspec.Struct, frozen=True):
    """What the database knows of a target. `…_since`: since its turns were begun. `recent`: newest first, since then.

    `queue_file` is `<host>:<path>` of the file that names it.
    """

    target: Target
    status: TargetStatus
    status_reason: str | None = None
    queue_file: str | None = None
    sessions_used: int = 0
    last_number: int = 0
    sessions_since: int = 0
    completed_since: int = 0
    last_finished_at: datetime | None = None
    recent: list[PastSession] = []
    limit_resets_at: datetime | None = None
    limit_window: str | None = None


class Work(msgspec.Struct, frozen=True):
    """Work a session of this type now."""

    session_type: SessionType
    reason: str


class Wait(msgspec.Struct, frozen=True):
    """Not before `until`."""

    until: datetime
    reason: str


class Done(msgspec.Struct, frozen=True):
    """Nothing more to do. `status` is the target's new one; None where it stays as it is."""

    reason: str
    status: Literal["complete"] | None = None


class Stop(msgspec.Struct, frozen=True):
    """A person must look at this target: it becomes `blocked`, with the reason in words."""

    reason: str


Step = Work | Wait | Done | Stop


class Rules(msgspec.Struct, frozen=True):
    """What a run wants of every target: at most one session (`once`), and how long failures are borne with."""

    once: bool = False
    retry_base: float = 5.0
    retry_max: float = 900.0
    max_failures: int = 5


def rules_of(settings: Settings, *, once: bool = False, max_retries: int | None = None) -> Rules:
    """The rules of the settings; `max_retries` is the queue file's word for this target's complexity."""
    failures = settings.max_failures if max_retries is None else max_retries + 1
    return Rules(once, settings.retry_base, settings.retry_max, failures)


def next_step(
    state: TargetState,
    features: FeatureCount | None,
    rules: Rules,
    now: datetime,
    *,
    resets_at: datetime | None = None,
) -> Step:
    """Decide.

    Args:
        state: as the database has it.
        features: the target's list as it stands now; None where there is no list yet.
        rules: see there.
        now: the time, with its zone.
        resets_at: when the limit that the last session met is lifted, where that session said it.
    """
    return (
        _over(state, features, rules)
        or _limited(state, now, resets_at)
        or _failed(state, rules, now)
        or _paced(state, now)
        or _work(state, features)
    )


def backoff(failures: int, rules: Rules, seed: UUID) -> timedelta:
    """The wait after `failures` in a row: full jitter, and the same for the same session whenever it is asked."""
    longest = min(rules.retry_max, rules.retry_base * 2.0 ** min(failures - 1, 60))
    return timedelta(seconds=random.Random(seed.int).uniform(0, longest))  # noqa: S311 - no secret


def _over(state: TargetState, features: FeatureCount | None, rules: Rules) -> Step | None:
    target = state.target
    if not target.enabled or state.status == "paused":
        return Done("disabled" if not target.enabled else "paused")
    if target.until_complete and features and features.total and not features.pending:
        return Done(f"none of its {features.total} features is left to do", "complete")
    if state.sessions_used >= target.max_sessions:
        return Stop(f"its {target.max_sessions} sessions (maxSessionsPerRepo) are used up")
    if rules.once and state.sessions_since:
        return Done("one session in this run")
    if not target.until_complete and state.completed_since:
        return Done("one completed session in each run (untilComplete is false)")
    return None


def _limited(state: TargetState, now: datetime, resets_at: datetime | None) -> Step | None:
    """Limits are the account's: what one target met holds back all targets of the same agent."""
    resets = [at for at in (state.limit_resets_at, resets_at) if at is not None]
    until = max(resets, default=now) + _AFTER_RESET + _jitter(state.target.id)
    if not resets or until <= now:
        return None
    return Wait(until, f"limit of {state.target.agent} ({state.limit_window or 'account'})")


def _failed(state: TargetState, rules: Rules, now: datetime) -> Step | None:
    failures = failures_in_a_row(state.recent)
    if not failures:
        return None
    last = failures[0]
    what = f"{last.error_type or 'unknown'}: {last.error_message or 'no message'}"
    if last.error_type in _STOP:
        return Stop(what)
    counted = [past for past in failures if past.error_type != "usage_limit"]
    if len(counted) >= rules.max_failures:
        return Stop(f"{len(counted)} sessions in a row failed, the last with {what}")
    ended = last.finished_at or now
    if last.error_type in _LIMITS and state.limit_resets_at and state.limit_resets_at > ended:
        return None  # that reset has passed, else `_limited` would wait for it
    until = ended + backoff(max(len(counted), 1), rules, last.id)
    return Wait(until, f"after {what}") if until > now else None


def failures_in_a_row(recent: list[PastSession]) -> list[PastSession]:
    """The sessions that failed since the last one that was completed, newest first; those that run do not count."""
    ended = [past for past in recent if past.status != "running"]
    succeeded = (index for index, past in enumerate(ended) if past.status == "completed")
    return ended[: next(succeeded, len(ended))]


def _paced(state: TargetState, now: datetime) -> Step | None:
    if state.last_finished_at is None or not state.target.session_delay_s:
        return None
    until = state.last_finished_at + timedelta(seconds=state.target.session_delay_s)
    return Wait(until, "sessionDelay of the queue file") if until > now else None


def _work(state: TargetState, features: FeatureCount | None) -> Step:
    number = state.last_number + 1
    if features is None or features.total == 0:
        return Work("initializer", f"session {number}: there is no feature list yet")
    return Work(
        "coding", f"session {number}: {features.pending} of {features.total} features to do"
    )


def _jitter(target_id: UUID) -> timedelta:
    return timedelta(seconds=random.Random(target_id.int).uniform(0, _RESET_JITTER_S))  # noqa: S311
