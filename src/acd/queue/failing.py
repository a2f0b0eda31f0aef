"""What follows from sessions that failed or led nowhere. Pure.

What is done about the error that ended the last session:

- `usage_limit` and `rate_limit` are the account's: they are waited for and never count as failures of a target.
- `auth`, `billing`, `config`, `model`, `permission`: stop the target. The next session would meet the same refusal
  (`permission` is what an account may not do, or `denial_limit` tool calls that the rules denied; fewer of those do
  not end a session), and only a person can change it.
- `timeout`, `max_turns`, `budget`, `context`, `output_limit` in a session that made progress: nothing. It worked until its
  own time or space was over.
- everything else (`server`, `network`, `overloaded`, `stalled`, `killed`, `interrupted`, `disk_full`, `internal`,
  `unknown`, …): a fresh session after a wait that doubles with each failure in a row, with full jitter.

After `max_failures` in a row the target's breaker opens: nothing for `breaker_cooldown` seconds, then one session as a
probe. A good probe closes it; a failed one opens it again. When `breaker_probes` probes have failed, a person must look.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from acd.queue.state import FeatureCount, PastSession, Rules, TargetState
from acd.queue.steps import Step, Stop, Wait

_STOP: frozenset[str] = frozenset({"auth", "billing", "config", "model", "permission"})
_LIMITS: frozenset[str] = frozenset({"usage_limit", "rate_limit"})
_RAN_OUT: frozenset[str] = frozenset({"timeout", "max_turns", "budget", "context", "output_limit"})
"""Ends of a session that had its full chance."""


def after_failures(state: TargetState, rules: Rules, now: datetime) -> Step | None:
    """What the failures in a row ask for; None: nothing stands against a session now."""
    failures = failures_in_a_row(state.recent)
    if not failures:
        return None
    last = failures[0]
    if last.error_type in _STOP:
        return Stop(_told(last))
    counted = [past for past in failures if past.error_type not in _LIMITS]
    if len(counted) >= rules.max_failures:
        return _broken(counted, rules, now)
    ended = last.finished_at or now
    if last.error_type in _LIMITS and any(
        limit.resets_at and limit.resets_at > ended for limit in state.limits
    ):
        return None  # that reset has passed, else the limit would be waited for
    row = counted if counted and counted[0] is last else failures
    until = ended + backoff(len(row), rules, last.id)
    return Wait(until, f"after {_told(last)}") if until > now else None


def _broken(counted: list[PastSession], rules: Rules, now: datetime) -> Step | None:
    told = f"{len(counted)} sessions in a row failed, the last with {_told(counted[0])}"
    opened = len(counted) - rules.max_failures + 1
    if opened > rules.breaker_probes:
        return Stop(told)
    until = (counted[0].finished_at or now) + timedelta(seconds=rules.breaker_cooldown)
    reason = f"{told}; then one is tried again ({opened} of {rules.breaker_probes})"
    return Wait(until, reason) if until > now else None


def after_no_progress(
    state: TargetState, features: FeatureCount | None, rules: Rules
) -> Step | None:
    """A stop after too many sessions that had their chance and changed nothing."""
    recent = state.recent
    if features is None or not features.total:
        tried = sum(
            past.status == "completed" and past.session_type == "initializer" for past in recent
        )
        if tried >= rules.no_progress_sessions:
            return Stop(
                f"{tried} initializer sessions were completed, and there is no feature list"
            )
    idle = sessions_without_progress(recent, rules.feature_attempts)
    if len(idle) < rules.no_progress_sessions:
        return None
    told = f"{len(idle)} sessions in a row made no progress: no feature newly passes, and "
    if any(past.progressed for past in idle):
        return Stop(f"{told}features were claimed again that had been rejected too often")
    return Stop(f"{told}there is no new commit")


def sessions_without_progress(recent: list[PastSession], attempts: int) -> list[PastSession]:
    """Those since the last one with progress, newest first; failures that were not the agent's doing do not count.

    Whoever claims once more what was rejected `attempts` times, and makes nothing else pass, made no progress: a claim
    is itself a commit, so a target that only repeats false ones would never come to an end.
    """
    idle: list[PastSession] = []
    for index, past in enumerate(recent):
        if past.progressed and not _only_repeats(past, recent[index + 1 :], attempts):
            break
        if past.status == "completed" or past.error_type in _RAN_OUT:
            idle.append(past)
    return idle


def _only_repeats(past: PastSession, earlier: list[PastSession], attempts: int) -> bool:
    if past.passed or not past.rejected:
        return False
    known = Counter(key for each in earlier for key in each.rejected)
    return any(known[key] >= attempts for key in past.rejected)


def failures_in_a_row(recent: list[PastSession]) -> list[PastSession]:
    """The sessions that failed since the last good one, newest first; those that run do not count."""
    ended = [past for past in recent if past.status != "running"]
    good = (index for index, past in enumerate(ended) if _was_good(past))
    return ended[: next(good, len(ended))]


def _was_good(past: PastSession) -> bool:
    return past.status == "completed" or (past.progressed and past.error_type in _RAN_OUT)


def backoff(failures: int, rules: Rules, seed: UUID) -> timedelta:
    """The wait after `failures` in a row: full jitter, and the same for the same session whenever it is asked."""
    longest = min(rules.retry_max, rules.retry_base * 2.0 ** min(failures - 1, 60))
    return timedelta(seconds=random.Random(seed.int).uniform(0, longest))  # noqa: S311 - no secret


def _told(past: PastSession) -> str:
    return f"{past.error_type or 'unknown'}: {past.error_message or 'no message'}"
