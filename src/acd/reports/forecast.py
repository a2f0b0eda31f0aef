"""When it will be finished: a forecast from the pace of the last days, with its range."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import msgspec

from acd.core.progress_rows import Forecast, Pace
from acd.database.connection import Database
from acd.reports._read import read
from acd.reports.rows import row_of

FEWEST = 3
"""Features that must have passed before a pace says anything."""
_FARTHEST = timedelta(days=3 * 365)
_Z80 = 1.2816
"""Of the normal distribution: 80 % lie within so many standard deviations."""


async def forecast(db: Database, *, repo_id: str | None = None) -> bytes:
    """One `Forecast`: of a target, or of all that are enabled.

    Raises:
        DatabaseAway: there is no database now.
    """
    pace = row_of(await read(db, "progress.pace", repo_id=repo_id), Pace)
    return msgspec.json.encode(from_pace(pace))


def from_pace(pace: Pace) -> Forecast:
    """What follows from a pace.

    Features are taken to pass one by one at an even rate (a Poisson process): the range is that of the rate, given how
    many passed, by the approximation of Wilson and Hilferty to the chi-squared distribution.
    """
    if not pace.remaining:
        return _none(pace, "everything passes")
    if pace.since is None:
        return _none(pace, "no session was begun yet")
    watched = pace.now - pace.since
    days = watched.total_seconds() / 86400
    told = f"{pace.gained} features passed in {_span(watched)}"
    if pace.gained < FEWEST or days <= 0:
        return _none(pace, f"{told}: too few to tell a pace from (at least {FEWEST})")
    low, high = _rates(pace.gained)
    finish = _at(pace.now, pace.remaining / pace.gained * days)
    if finish is None:
        return _none(pace, f"more than three years if the pace holds: {told}")
    return Forecast(
        remaining=pace.remaining,
        gained=pace.gained,
        since=pace.since,
        finish=finish,
        earliest=_at(pace.now, pace.remaining / high * days),
        latest=_at(pace.now, pace.remaining / low * days),
        reason=f"if the pace holds: {told}",
    )


def _none(pace: Pace, reason: str) -> Forecast:
    return Forecast(
        remaining=pace.remaining,
        gained=pace.gained,
        since=pace.since,
        finish=None,
        earliest=None,
        latest=None,
        reason=reason,
    )


def _rates(count: int) -> tuple[float, float]:
    """Between which numbers the expected count lies, at 80 %, when `count` was seen."""

    def quantile(shape: float, z: float) -> float:
        return float(shape * (1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))) ** 3)

    return quantile(count, -_Z80), quantile(count + 1, _Z80)


def _at(now: datetime, days: float) -> datetime | None:
    """So many days from now; None beyond what anybody can foresee."""
    return now + timedelta(days=days) if days < _FARTHEST.days else None


def _span(length: timedelta) -> str:
    hours = length.total_seconds() / 3600
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    if hours >= 2:
        return f"{hours:.0f} hours"
    return f"{max(1, round(hours * 60))} minutes"
