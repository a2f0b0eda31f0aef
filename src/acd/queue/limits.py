"""Limits of an agent's account: what they hold back, and until when. Pure.

A limit is the account's: what one session met holds back all sessions of that login, on every machine; one of a single
model (`seven_day_opus`) only those that are to work with it. After its reset one session goes first (`Work.canary`), and
the others when that one had an answer.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from acd.core.families import family_of
from acd.queue.steps import Wait

_AFTER_RESET = timedelta(seconds=1)
"""So that clocks that differ a little do no harm."""


class HeldLimit(msgspec.Struct, frozen=True):
    """A refusal that is not known to be over. `resets_at` None: nobody told. `account` empty: the login is not known."""

    window: str
    seen_at: datetime
    resets_at: datetime | None = None
    account: str = ""


class Patience(msgspec.Struct, frozen=True):
    """How long limits are waited for, in seconds: at most so much longer than told, and so long where nobody told."""

    jitter: float = 1.0
    unknown: float = 300.0


def holding(limits: list[HeldLimit], model: str | None) -> list[HeldLimit]:
    """Those that hold back a session with this model; None: a session with any."""
    if model is None:
        return limits
    family = family_of(model) or model
    return [limit for limit in limits if family_of(limit.window) in (None, family)]


def words_of(agent: str, limits: list[HeldLimit], window: str | None = None) -> str:
    """Whose limit it is, as a person reads it: `limit of claude-code, API key 1a2b3c4d (five_hour)`."""
    logins = sorted({limit.account for limit in limits if limit.account})
    login = f", {logins[0]}" if len(logins) == 1 else ""
    return f"limit of {agent}{login} ({window or 'account'})"


def wait_for_reset(
    limits: list[HeldLimit],
    told: datetime | None,
    patience: Patience,
    seed: UUID,
    now: datetime,
) -> tuple[datetime, str | None] | None:
    """Until when to wait and for which window; None: no reset is ahead. `told`: what the last session itself said."""
    unknown = timedelta(seconds=patience.unknown)
    resets: list[tuple[datetime, str | None]] = [
        (limit.resets_at or limit.seen_at + unknown, limit.window) for limit in limits
    ]
    if told is not None:
        resets.append((told, None))
    if not resets:
        return None
    at, window = max(resets, key=lambda reset: reset[0])
    seconds = random.Random(seed.int).uniform(0, patience.jitter)  # noqa: S311 - no secret
    until = at + _AFTER_RESET + timedelta(seconds=seconds)
    return (until, window) if until > now else None


def waiting_for_another(
    agent: str, limits: list[HeldLimit], windows: tuple[str, ...], now: datetime
) -> Wait:
    """Another session goes first; look again soon."""
    whose = words_of(agent, limits, ", ".join(windows))
    return Wait(
        now + timedelta(seconds=2), f"{whose}: another session tries first whether it is over"
    )
