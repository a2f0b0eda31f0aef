"""Where money went, as types, in the way of `acd.core.figures`: over time by model or target, and by hour."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

Step = Literal["day", "week", "month"]
Split = Literal["model", "target"]

_DAYS_BY_DAY, _DAYS_BY_WEEK = 92, 732


class CostPart(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What one model, or one target, cost in one step of time.

    `first_day` is that of the step; `key` a model's full name or a target's id, `name` a target's name. Cost leaves out
    the unpriced requests.
    """

    first_day: date
    key: str
    name: str | None
    cost_usd: Decimal
    requests: int
    unpriced_requests: int


class CostOverTime(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Parts of the days `from_` to `to`, both included: newest first, then what cost most. Steps without cost are left out."""

    from_: date = msgspec.field(name="from")
    to: date
    step: Step
    split_by: Split
    rows: list[CostPart]


class HourCost(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Sessions that began in one hour of one day of the week: 1 is Monday, 7 Sunday; hours are the database's."""

    weekday: int
    hour: int
    sessions: int
    cost_usd: Decimal
    unpriced_requests: int


class CostByHour(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Hours in which sessions began, on the days `from_` to `to`, in order; hours without a session are left out."""

    from_: date = msgspec.field(name="from")
    to: date
    rows: list[HourCost]


def step_of(first: date, last: date) -> Step:
    """How long a step is in a chart of these days, so that there are not too many of them."""
    days = (last - first).days
    if days <= _DAYS_BY_DAY:
        return "day"
    return "week" if days <= _DAYS_BY_WEEK else "month"
