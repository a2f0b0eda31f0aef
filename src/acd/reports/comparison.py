"""Models compared, each figure with the sessions behind it and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from acd.core.comparison import ComparedModel, Comparison, Interval, Measure
from acd.core.contract import TargetName
from acd.core.errors import DatabaseError
from acd.database.connection import Database
from acd.reports import intervals
from acd.reports.figures import Period

_SIZE = 64 * 1024
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Summed(msgspec.Struct, frozen=True, rename="camel"):
    """What the query knows of a model: how many, sums, sums of squares and of products, the median with its ranks."""

    model: str
    sessions: int
    targets: int
    completed: int
    features: float
    features_squared: float
    cost: float
    cost_squared: float
    cost_by_features: float
    cost_usd: Decimal
    unpriced_requests: int
    timed: int
    median: float | None
    low: int | None
    high: int | None


class _Found(msgspec.Struct, frozen=True):
    targets: list[TargetName]
    models: list[_Summed]


async def of_models(
    db: Database, period: Period, *, models: Sequence[str] = (), same_targets: bool = True
) -> bytes:
    """One `Comparison` of these models (none: all that worked) over the period's days and target.

    Raises:
        DatabaseAway: there is no database now.
    """

    async def make(exact: Database) -> bytes:
        found = await exact.fetch_json(
            "comparison.models",
            models=list(models) or None,
            same_targets=same_targets,
            repo_id=period.repo_id,
            **{"from": period.first, "to": period.last},
        )
        if found is None:
            raise DatabaseError("the query comparison.models gave no row")
        return _compared(msgspec.json.decode(found, type=_Found), period, same_targets)

    question = ("comparison.models", period, tuple(models), same_targets)
    return await db.while_unchanged(question, make, size=_SIZE)


def _compared(found: _Found, period: Period, same_targets: bool) -> bytes:
    return _ENCODER.encode(
        Comparison(
            from_=period.first,
            to=period.last,
            same_targets=same_targets,
            targets=found.targets,
            models=[_model(summed) for summed in found.models],
        )
    )


def _model(of: _Summed) -> ComparedModel:
    pairs = intervals.Sums(
        of.sessions,
        of.cost,
        of.features,
        of.cost_squared,
        of.features_squared,
        of.cost_by_features,
    )
    known = of.cost > 0 or not of.unpriced_requests  # what nobody can price is not free
    return ComparedModel(
        model=of.model,
        sessions=of.sessions,
        targets=of.targets,
        features_completed=round(of.features),
        cost_usd=of.cost_usd,
        unpriced_requests=of.unpriced_requests,
        success_rate=Measure(
            of.completed / of.sessions, of.sessions, intervals.wilson(of.completed, of.sessions)
        ),
        features_per_session=Measure(
            of.features / of.sessions,
            of.sessions,
            intervals.mean(of.sessions, of.features, of.features_squared),
        ),
        cost_per_feature=Measure(
            of.cost / of.features if of.features > 0 and known else None,
            of.sessions,
            intervals.ratio(pairs) if known else None,
        ),
        duration_ms=Measure(of.median, of.timed, _between(of.low, of.high)),
    )


def _between(low: int | None, high: int | None) -> Interval | None:
    return None if low is None or high is None else Interval(float(low), float(high))
