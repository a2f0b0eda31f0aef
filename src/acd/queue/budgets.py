"""What is left of budgets, and what follows from it. Pure but for nothing: figures come from the ledger.

A budget may stand in the settings and in the queue file; each of them holds, so the smaller one counts. Requests without
a known price count by their tokens; in USD nobody can say what they cost, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from acd.core.budgets import Amount, Budget
from acd.core.settings import Settings
from acd.queue.steps import Cause, Step, Stop, Wait

Scope = Literal["session", "target", "day", "total"]

_HOUR_S = 3600
_OWNERS: dict[Scope, str] = {
    "session": "budget of one session",
    "target": "budget of this target",
    "day": "budget of the day for all targets",
    "total": "budget of all targets in all",
}
_AFTER_MIDNIGHT = timedelta(seconds=1)


class Spent(msgspec.Struct, frozen=True):
    """What was used up, running sessions included. `seconds`: wall time of the sessions, added up."""

    usd: Decimal = Decimal(0)
    tokens: int = 0
    sessions: int = 0
    seconds: float = 0.0
    unpriced: int = 0


class Spending(msgspec.Struct, frozen=True):
    """What counts against a target's next session. `next_day`: when a new day begins in the database's time zone."""

    target: Spent = Spent()
    day: Spent = Spent()
    total: Spent = Spent()
    session: Spent = Spent()
    next_day: datetime | None = None


class Share(msgspec.Struct, frozen=True):
    """How far one bound is used up. `spent` and `bound` are in USD, tokens, sessions or hours."""

    scope: Scope
    measure: Literal["usd", "tokens", "sessions", "hours"]
    spent: Decimal
    bound: Decimal

    @property
    def fraction(self) -> Decimal:
        """1 where it is used up."""
        return self.spent / self.bound

    @property
    def words(self) -> str:
        """As a person reads it: `budget of this target: $4.02 of $5 (80 %)`."""
        percent = int(self.fraction * 100)
        spent, bound = self._figure(self.spent), self._figure(self.bound)
        return f"{_OWNERS[self.scope]}: {spent} of {bound} ({percent} %)"

    def _figure(self, value: Decimal) -> str:
        match self.measure:
            case "usd":
                return f"${value:.4f}".rstrip("0").rstrip(".")
            case "hours":
                return f"{value:.2f} hours"
            case _:
                return f"{value:,.0f} {self.measure}"


class Allowance(msgspec.Struct, frozen=True):
    """What a session that begins now may use at most; None: no bound."""

    usd: float | None = None
    tokens: int | None = None
    seconds: float | None = None


def budget_of(settings: Settings) -> Budget:
    """The budgets of the settings."""
    return Budget(
        session=Amount(usd=settings.session_budget_usd, tokens=settings.session_budget_tokens),
        target=Amount(
            settings.target_budget_usd,
            settings.target_budget_tokens,
            settings.target_budget_sessions,
            settings.target_budget_hours,
        ),
        day=Amount(
            settings.day_budget_usd,
            settings.day_budget_tokens,
            settings.day_budget_sessions,
            settings.day_budget_hours,
        ),
        total=Amount(
            settings.total_budget_usd,
            settings.total_budget_tokens,
            settings.total_budget_sessions,
            settings.total_budget_hours,
        ),
    )


def shares(budget: Budget, spending: Spending) -> list[Share]:
    """How far each bound is used up, in the order session, target, day, total."""
    found = []
    for scope in ("session", "target", "day", "total"):
        amount: Amount = getattr(budget, scope)
        spent: Spent = getattr(spending, scope)
        figures = (
            ("usd", spent.usd, amount.usd),
            ("tokens", spent.tokens, amount.tokens),
            ("sessions", spent.sessions, amount.sessions),
            ("hours", spent.seconds / _HOUR_S, amount.hours),
        )
        for measure, used, bound in figures:
            if bound is not None:
                found.append(Share(scope, measure, Decimal(str(used)), Decimal(str(bound))))  # type: ignore[arg-type]
    return found


def before_a_session(budget: Budget, spending: Spending, now: datetime) -> Step | None:
    """What stands against beginning one: the target's or the whole budget is used up (stop), or the day's (wait)."""
    used_up = [share for share in shares(budget, spending) if share.fraction >= 1]
    for share in used_up:
        if share.scope in {"target", "total"}:
            cause: Cause = "budget" if share.scope == "target" else "budget_of_all"
            return Stop(f"used up: {share.words}", cause)
    day = next((share for share in used_up if share.scope == "day"), None)
    if day is None:
        return None
    until = (spending.next_day or now + timedelta(hours=1)) + _AFTER_MIDNIGHT
    return Wait(until, f"used up until the next day: {day.words}", cause="budget_of_all")


def used_up_by_running(found: Sequence[Share]) -> Share | None:
    """The bound for which a running session has to end. That no further one may begin ends none."""
    return next(
        (share for share in found if share.fraction >= 1 and share.measure != "sessions"), None
    )


def allowance(budget: Budget, spending: Spending) -> Allowance:
    """What is left for a session that begins now: the least of what each budget leaves it."""
    rests: dict[str, list[Decimal]] = {"usd": [], "tokens": [], "hours": []}
    for share in shares(budget, spending):
        if share.measure in rests:
            rests[share.measure].append(max(share.bound - share.spent, Decimal(0)))
    usd, tokens, hours = (min(rest, default=None) for rest in rests.values())
    return Allowance(
        usd=None if usd is None else float(usd),
        tokens=None if tokens is None else int(tokens),
        seconds=None if hours is None else float(hours) * _HOUR_S,
    )
