"""Days side by side: today against yesterday and the mean of the seven days before today."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Generic, TypeVar

from acd.core.figures import CostSum, Report, SuccessSum, SumT, ThroughputSum, TokenSum
from acd.database.connection import Database
from acd.reports import figures
from acd.reports.rows import row_of

DAYS = 14
_MEAN_DAYS = 7

NumberT = TypeVar("NumberT", int, Decimal, float)


@dataclass(frozen=True)
class Compared(Generic[NumberT]):
    """One figure by day. `mean` is that of the seven days before today; None: there was nothing to tell it from.

    `values` are those of the last `DAYS` days, today's last; a day of which nothing is known is left out of rates.
    """

    today: NumberT | None
    yesterday: NumberT | None
    mean: Decimal | None
    values: list[NumberT]


@dataclass(frozen=True)
class Days:
    """The figures of the overview by day. `success` is a fraction of the sessions that ended, begun on that day.

    `unpriced` counts the requests that `cost` leaves out.
    """

    first: date
    today: date
    cost: Compared[Decimal]
    unpriced: Compared[int]
    tokens: Compared[int]
    features: Compared[int]
    commits: Compared[int]
    sessions: Compared[int]
    success: Compared[float]


async def compare_days(db: Database) -> Days:
    """The last days as `/api/reports/…?groupBy=day` tells them.

    Raises:
        DatabaseAway: there is no database now.
    """
    month = await figures.period(db, "day")
    today, first = month.last, month.last - timedelta(days=DAYS - 1)
    period = await figures.period(db, "day", first=first, last=today)
    spent, used, done, ended = await asyncio.gather(
        figures.cost(db, period),
        figures.tokens(db, period),
        figures.throughput(db, period),
        figures.success_rate(db, period),
    )
    costs, throughput = row_of(spent, Report[CostSum]), row_of(done, Report[ThroughputSum])
    days = [first + timedelta(days=n) for n in range(DAYS)]
    return Days(
        first=first,
        today=today,
        cost=_amounts(costs, days, lambda row: row.cost_usd, Decimal(0)),
        unpriced=_amounts(costs, days, lambda row: row.unpriced_requests, 0),
        tokens=_amounts(row_of(used, Report[TokenSum]), days, lambda row: row.total_tokens, 0),
        features=_amounts(throughput, days, lambda row: row.features_completed, 0),
        commits=_amounts(throughput, days, lambda row: row.commits, 0),
        sessions=_amounts(throughput, days, lambda row: row.sessions, 0),
        success=_rates(row_of(ended, Report[SuccessSum]), days),
    )


def _amounts(
    report: Report[SumT],
    days: Sequence[date],
    of: Callable[[SumT], NumberT],
    nothing: NumberT,
) -> Compared[NumberT]:
    """A figure that is nothing on a day without a row."""
    known = {row.key: of(row) for row in report.rows}
    values = [known.get(day.isoformat(), nothing) for day in days]
    before = values[-1 - _MEAN_DAYS : -1]
    return Compared(values[-1], values[-2], Decimal(sum(before)) / len(before), values)


def _rates(report: Report[SuccessSum], days: Sequence[date]) -> Compared[float]:
    """Rates of days on which a session ended; the mean is that of all sessions of the days."""
    rows = {row.key: row for row in report.rows}
    found = [rows.get(day.isoformat()) for day in days]
    rates = [row.success_rate if row else None for row in found]
    before = [row for row in found[-1 - _MEAN_DAYS : -1] if row]
    completed = sum(row.completed for row in before)
    over = completed + sum(row.failed for row in before)
    known = [rate for rate in rates if rate is not None]
    return Compared(rates[-1], rates[-2], Decimal(completed) / over if over else None, known)
