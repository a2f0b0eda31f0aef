"""Models compared, as types, in the way of `acd.core.figures`: each figure with what stands behind it.

Counted are coding sessions that have ended. All intervals are of 95 %; None where there are too few sessions for one.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from acd.core.contract import TargetName

MOST_MODELS = 200
"""How many may be compared at once."""


class Interval(msgspec.Struct, frozen=True):
    """Both ends of where the true value lies in 95 of 100 such comparisons."""

    low: float
    high: float


class Measure(msgspec.Struct, frozen=True):
    """A figure, how many sessions stand behind it, and how far off it may be. `value` None: nothing to divide by."""

    value: float | None
    sessions: int
    interval: Interval | None


class ComparedModel(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One model (the family that was asked for).

    `success_rate`: sessions that completed, with Wilson's interval. `features_per_session`: the mean, with Student's;
    lost features count as less than none. `cost_per_feature`: USD, all cost by all features, with Fieller's. `duration_ms`: the median,
    with the interval of its ranks. Cost leaves out requests without a known price.
    """

    model: str
    sessions: int
    targets: int
    features_completed: int
    cost_usd: Decimal
    unpriced_requests: int
    success_rate: Measure
    features_per_session: Measure
    cost_per_feature: Measure
    duration_ms: Measure


class Comparison(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Models over sessions begun on the days `from_` to `to`, those with the most sessions first.

    `same_targets`: only targets count on which every one of the models worked; `targets` are those that count.
    """

    from_: date = msgspec.field(name="from")
    to: date
    same_targets: bool
    targets: list[TargetName]
    models: list[ComparedModel]
