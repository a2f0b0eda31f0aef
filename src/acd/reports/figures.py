"""Sums of a period by one key. Each function gives JSON and raises DatabaseAway when there is no database.

The queries give every figure that they know; the types of `acd.core.figures` say which of them a report shows.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple, TypeVar

import msgspec

from acd.core.errors import DatabaseError
from acd.core.figures import (
    CacheSum,
    CommitCostSum,
    CostSum,
    ErrorSum,
    FeatureCostSum,
    GroupBy,
    ModelSum,
    Report,
    SuccessSum,
    Sum,
    ThroughputSum,
    TokenSum,
)
from acd.database.connection import Database
from acd.reports._read import read

SumT = TypeVar("SumT", bound=Sum)

_SIZE = 64 * 1024
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Period(NamedTuple):
    """Which days, both included, of which target (None: all), by which key."""

    first: date
    last: date
    by: GroupBy
    repo_id: str | None = None


async def period(
    db: Database,
    by: GroupBy,
    *,
    first: date | None = None,
    last: date | None = None,
    repo_id: str | None = None,
) -> Period:
    """The days meant: 30 that end with the last one, which is today in the database's time zone, unless told."""
    row = await db.fetch_one("figures.period", **{"from": first, "to": last})
    if row is None:
        raise DatabaseError("the query figures.period gave no row")
    return Period(row["first"], row["last"], by, repo_id)


async def cost(db: Database, period: Period) -> bytes:
    """`Report` of `CostSum`."""
    return await _report(db, "figures.spending", period, CostSum)


async def tokens(db: Database, period: Period) -> bytes:
    """`Report` of `TokenSum`."""
    return await _report(db, "figures.spending", period, TokenSum)


async def cache(db: Database, period: Period) -> bytes:
    """`Report` of `CacheSum`."""
    return await _report(db, "figures.sessions", period, CacheSum)


async def throughput(db: Database, period: Period) -> bytes:
    """`Report` of `ThroughputSum`."""
    return await _report(db, "figures.sessions", period, ThroughputSum)


async def success_rate(db: Database, period: Period) -> bytes:
    """`Report` of `SuccessSum`."""
    return await _report(db, "figures.sessions", period, SuccessSum)


async def error_rate(db: Database, period: Period) -> bytes:
    """`Report` of `ErrorSum`."""
    return await _report(db, "figures.errors", period, ErrorSum)


async def cost_per_feature(db: Database, period: Period) -> bytes:
    """`Report` of `FeatureCostSum`."""
    if period.by != "feature":
        return await _report(db, "figures.sessions", period, FeatureCostSum)
    found = await read(
        db, "figures.features", repo_id=period.repo_id, **{"from": period.first, "to": period.last}
    )
    return _shown(found, period, FeatureCostSum)


async def cost_per_commit(db: Database, period: Period) -> bytes:
    """`Report` of `CommitCostSum`."""
    return await _report(db, "figures.sessions", period, CommitCostSum)


async def models(db: Database, period: Period) -> bytes:
    """`Report` of `ModelSum`."""
    return await _report(db, "figures.sessions", period, ModelSum)


async def _report(db: Database, query: str, period: Period, row: type[SumT]) -> bytes:
    async def make(exact: Database) -> bytes:
        found = await read(
            exact,
            query,
            by=period.by,
            repo_id=period.repo_id,
            **{"from": period.first, "to": period.last},
        )
        return _shown(found, period, row)

    return await db.while_unchanged((query, period, row), make, size=_SIZE)


def _shown(found: bytes, period: Period, row: type[SumT]) -> bytes:
    """The figures of `row` only; money keeps every digit."""
    total, *rows = msgspec.json.decode(found, type=list[row])  # type: ignore[valid-type]
    report = Report(from_=period.first, to=period.last, group_by=period.by, total=total, rows=rows)
    return _ENCODER.encode(report)
