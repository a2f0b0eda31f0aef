"""What the API says of sums, as types, in the way of `acd.core.contract`.

A report has one row for each key (a day, the first day of a week or month, a target's id, a model, …) and one for all
together. Rates are fractions; None where there is nothing to divide by.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Generic, Literal, TypeVar

import msgspec

GroupBy = Literal["day", "week", "month", "target", "model", "agent", "branch", "feature"]


class Sum(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The key of a row, None for all together (or sessions without a branch); `name` is a target's or feature's."""

    key: str | None
    name: str | None


class CostSum(Sum, frozen=True, kw_only=True):
    """Cost, which leaves out the unpriced requests."""

    cost_usd: Decimal
    requests: int
    unpriced_requests: int


class TokenSum(Sum, frozen=True, kw_only=True):
    """Tokens by kind."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    total_tokens: int
    requests: int


class CacheSum(Sum, frozen=True, kw_only=True):
    """How well tokens were spent.

    `wasted_cost_usd` is the cost of failed sessions and of coding sessions that ended without a feature completed.
    """

    cache_hit_rate: float | None
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    sessions: int
    cost_usd: Decimal
    wasted_sessions: int
    wasted_cost_usd: Decimal


class ThroughputSum(Sum, frozen=True, kw_only=True):
    """What was done; features completed may be negative, because regressions count."""

    sessions: int
    running: int
    features_completed: int
    commits: int
    duration_ms: int
    features_per_hour: float | None


class SuccessSum(Sum, frozen=True, kw_only=True):
    """How sessions ended; the rate is of those that did."""

    sessions: int
    running: int
    completed: int
    failed: int
    success_rate: float | None


class ErrorSum(Sum, frozen=True, kw_only=True):
    """Errors by type; those that the agent got over by itself are among them."""

    sessions: int
    errors: int
    retried_by_agent: int
    open_errors: int
    sessions_with_errors: int
    errors_per_session: float | None
    by_type: dict[str, int]


class FeatureCostSum(Sum, frozen=True, kw_only=True):
    """Cost of a feature. By feature: the session's cost, shared evenly among the features that it implemented."""

    cost_usd: Decimal
    unpriced_requests: int
    features_completed: int
    cost_per_feature: Decimal | None


class CommitCostSum(Sum, frozen=True, kw_only=True):
    """Cost of a commit."""

    cost_usd: Decimal
    unpriced_requests: int
    commits: int
    cost_per_commit: Decimal | None


class ModelSum(Sum, frozen=True, kw_only=True):
    """How a model (the family that was asked for) did."""

    sessions: int
    completed: int
    failed: int
    success_rate: float | None
    features_completed: int
    commits: int
    requests: int
    retries: int
    total_tokens: int
    cache_hit_rate: float | None
    average_duration_ms: int | None
    cost_usd: Decimal
    unpriced_requests: int
    cost_per_feature: Decimal | None
    wasted_cost_usd: Decimal


SumT = TypeVar("SumT", bound=Sum)


class Report(msgspec.Struct, Generic[SumT], frozen=True, kw_only=True):
    """A report of the days `from_` to `to`, both included: days, weeks and months newest first, else the most first."""

    from_: date = msgspec.field(name="from")
    to: date
    group_by: GroupBy = msgspec.field(name="groupBy")
    total: SumT
    rows: list[SumT]
