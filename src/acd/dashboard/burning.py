"""The burn-up of features as geometry: how many there were, how many passed, and where the forecast leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from acd.core.progress_rows import FeatureDay, Forecast
from acd.dashboard.drawing import path_of, steps_of
from acd.database.connection import Database
from acd.reports import progress
from acd.reports.rows import row_of

WIDTH, HEIGHT = 720.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 8.0, 10.0, 22.0
_FEWEST_DAYS = 3
_MARKS = 5

Point = tuple[datetime, int]


@dataclass(frozen=True)
class Mark:
    """A line of the grid with its word, or a time below: `word` says it in UTC, `kind` how scripts say `when` (see times.js)."""

    at: float
    word: str
    when: datetime | None = None
    kind: str = ""


@dataclass(frozen=True)
class BurnUp:
    """Path data in a box of `WIDTH` by `HEIGHT`. `now`: where the forecast begins; None without one."""

    total: str
    passing: str
    area: str
    forecast: str | None
    band: str | None
    now: float
    rows: list[Mark]
    columns: list[Mark]


async def passed_where_needed(
    db: Database, days: Sequence[FeatureDay], repo_id: str | None = None
) -> list[datetime]:
    """When features passed, for `burn_up`: read only where there are too few days to draw.

    Raises:
        DatabaseAway: there is no database now.
    """
    if len(days) >= _FEWEST_DAYS:
        return []
    return row_of(await progress.passed_at(db, repo_id=repo_id), list[datetime])


def burn_up(
    days: Sequence[FeatureDay],
    passed_at: Sequence[datetime],
    forecast: Forecast,
    now: datetime,
) -> BurnUp | None:
    """The burn-up of days; of the hours where there are only a few days; None where there is nothing to draw.

    Args:
        days: oldest first, today last.
        passed_at: when what passes now was first seen passing, newest first.
        forecast: where it leads.
        now: the right end of what is known.
    """
    if not days or not days[-1].total_features:
        return None
    total, passing = _points(days, passed_at, now)
    end = _end(total[0][0], now, forecast)
    scale = _Scale(total[0][0], end, max(count for _, count in total))
    x_now = scale.x(now)
    line = steps_of([scale.at(point) for point in passing])
    goal = passing[-1][1] + forecast.remaining
    start = scale.at(passing[-1])
    return BurnUp(
        total=steps_of([scale.at(point) for point in total]),
        passing=line,
        area=f"{line}V{HEIGHT - _BOTTOM:.1f}H{scale.x(passing[0][0]):.1f}Z",
        forecast=_line(scale, start, forecast.finish, goal, end),
        band=_band(scale, start, forecast, goal, end),
        now=x_now,
        rows=scale.rows(),
        columns=scale.columns(),
    )


def _points(
    days: Sequence[FeatureDay], passed_at: Sequence[datetime], now: datetime
) -> tuple[list[Point], list[Point]]:
    """Totals and passing by time. The end of a day stands at its midnight, today at now."""
    last = days[-1]
    if len(days) < _FEWEST_DAYS and passed_at:
        times = sorted(min(when, now) for when in passed_at)  # another machine's clock may be ahead
        first = times[0] - (now - times[0]) * 0.05 - timedelta(seconds=1)
        before = last.passing_features - len(times)
        steps = [(when, before + n) for n, when in enumerate(times, start=1)]
        return (
            [(first, last.total_features), (now, last.total_features)],
            [(first, before), *steps, (now, last.passing_features)],
        )
    ends = [min(day.ends_at, now) for day in days[:-1]] + [now]
    return (
        [(end, day.total_features) for end, day in zip(ends, days, strict=True)],
        [(end, day.passing_features) for end, day in zip(ends, days, strict=True)],
    )


def _end(first: datetime, now: datetime, forecast: Forecast) -> datetime:
    """The right end: what is known takes half of the width at least."""
    known = max(now - first, timedelta(seconds=1))
    ahead = forecast.latest or forecast.finish
    if ahead is None or forecast.finish is None:
        return now
    return now + min(ahead - now, known)


class _Scale:
    """From times and counts to places."""

    def __init__(self, first: datetime, last: datetime, most: int) -> None:
        self.first = first
        self.length = max((last - first).total_seconds(), 1.0)
        self.step = _step(most)
        self.most = self.step * -(-most // self.step) if most else 1

    def x(self, when: datetime) -> float:
        share = (when - self.first).total_seconds() / self.length
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, count: float) -> float:
        return HEIGHT - _BOTTOM - count / self.most * (HEIGHT - _BOTTOM - _TOP)

    def at(self, point: Point) -> tuple[float, float]:
        return self.x(point[0]), self.y(point[1])

    def rows(self) -> list[Mark]:
        return [Mark(self.y(count), str(count)) for count in range(0, self.most + 1, self.step)]

    def columns(self) -> list[Mark]:
        """Times below: days where they are days, else hours."""
        form, kind = ("%d %b", "date") if self.length > 2 * 86400 else ("%H:%M", "clock")
        marks = []
        for n in range(_MARKS):
            when = self.first + timedelta(seconds=self.length * n / (_MARKS - 1))
            marks.append(Mark(self.x(when), when.astimezone(UTC).strftime(form), when, kind))
        return marks


def _step(most: int) -> int:
    """A round number of which three to six lie below `most`: 1, 2 or 5 times a power of ten."""
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if most <= 5 * step:
                return step
        size *= 10


def _line(
    scale: _Scale, start: tuple[float, float], finish: datetime | None, goal: int, end: datetime
) -> str | None:
    return path_of([start, _toward(scale, start, finish, goal, end)]) if finish else None


def _toward(
    scale: _Scale, start: tuple[float, float], finish: datetime, goal: int, end: datetime
) -> tuple[float, float]:
    """Where the line to a finish ends: there, or at the right edge on its way."""
    x, y = scale.x(finish), scale.y(goal)
    edge = scale.x(end)
    if x <= edge:
        return x, y
    share = (edge - start[0]) / (x - start[0])
    return edge, start[1] + (y - start[1]) * share


def _band(
    scale: _Scale, start: tuple[float, float], forecast: Forecast, goal: int, end: datetime
) -> str | None:
    """Between the earliest and the latest finish."""
    if forecast.earliest is None or forecast.latest is None:
        return None
    early = _toward(scale, start, forecast.earliest, goal, end)
    late = _toward(scale, start, forecast.latest, goal, end)
    corner = [(scale.x(end), scale.y(goal))] if late[0] >= scale.x(end) > early[0] else []
    return f"{path_of([start, early, *corner, late])}Z"
