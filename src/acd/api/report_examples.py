"""Examples of the reports."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypeVar

import msgspec

from acd.api.examples import AT, LATER, RUNNING, TARGET
from acd.core.figures import (
    CacheSum,
    CommitCostSum,
    CostSum,
    ErrorSum,
    FeatureCostSum,
    ModelSum,
    Report,
    SuccessSum,
    Sum,
    ThroughputSum,
    TokenSum,
)
from acd.core.summary_rows import (
    ErrorSummary,
    LimitSummary,
    NightSummary,
    PeriodSummary,
    TargetSummary,
)

SumT = TypeVar("SumT", bound=Sum)


def report(row: SumT) -> Report[SumT]:
    """A report with this one row."""
    return Report(
        from_=date(2026, 10, 26),
        to=date(2026, 11, 24),
        group_by="model",
        total=msgspec.structs.replace(row, key=None),
        rows=[row],
    )


COST = CostSum(key="opus", name=None, cost_usd=Decimal("6.2031"), requests=372, unpriced_requests=0)
TOKENS = TokenSum(
    key="opus",
    name=None,
    input_tokens=9744,
    output_tokens=61440,
    cache_read_tokens=5760000,
    cache_write_tokens=252000,
    total_tokens=6083184,
    requests=372,
)
CACHE = CacheSum(
    key="opus",
    name=None,
    cache_hit_rate=0.9565,
    input_tokens=9744,
    cache_read_tokens=5760000,
    cache_write_tokens=252000,
    sessions=12,
    cost_usd=Decimal("6.2031"),
    wasted_sessions=1,
    wasted_cost_usd=Decimal("0.31"),
)
THROUGHPUT = ThroughputSum(
    key="opus",
    name=None,
    sessions=12,
    running=0,
    features_completed=8,
    commits=21,
    duration_ms=4800000,
    features_per_hour=6.0,
)
SUCCESS = SuccessSum(
    key="opus", name=None, sessions=12, running=0, completed=11, failed=1, success_rate=0.9167
)
ERRORS = ErrorSum(
    key="opus",
    name=None,
    sessions=12,
    errors=3,
    retried_by_agent=2,
    open_errors=1,
    sessions_with_errors=2,
    errors_per_session=0.25,
    by_type={"overloaded": 2, "usage_limit": 1},
)
FEATURE_COST = FeatureCostSum(
    key="opus",
    name=None,
    cost_usd=Decimal("6.2031"),
    unpriced_requests=0,
    features_completed=8,
    cost_per_feature=Decimal("0.7753875"),
)
COMMIT_COST = CommitCostSum(
    key="opus",
    name=None,
    cost_usd=Decimal("6.2031"),
    unpriced_requests=0,
    commits=21,
    cost_per_commit=Decimal("0.29538571428571428571"),
)
MODELS = ModelSum(
    key="opus",
    name=None,
    sessions=12,
    completed=11,
    failed=1,
    success_rate=0.9167,
    features_completed=8,
    commits=21,
    requests=372,
    retries=2,
    total_tokens=6083184,
    cache_hit_rate=0.9565,
    average_duration_ms=400000,
    cost_usd=Decimal("6.2031"),
    unpriced_requests=0,
    cost_per_feature=Decimal("0.7753875"),
    wasted_cost_usd=Decimal("0.31"),
)

SUMMARY = NightSummary(
    period=PeriodSummary(
        since=AT,
        until=LATER,
        sessions=12,
        failed_sessions=1,
        verified_features=7,
        unverified_features=2,
        commits=11,
        tokens=4_120_331,
        cost_usd=Decimal("3.81207"),
        unpriced_requests=0,
        targets=[
            TargetSummary(
                target=TARGET,
                status="blocked",
                status_reason="auth: Invalid API key",
                finished=False,
                sessions=12,
                failed_sessions=1,
                verified_features=7,
                unverified_features=2,
                commits=11,
                tokens=4_120_331,
                cost_usd=Decimal("3.81207"),
                unpriced_requests=0,
                passing_features=9,
                total_features=20,
                rejected_claims=1,
            )
        ],
        errors=[ErrorSummary("auth", 1, 0, "Invalid API key")],
        limits=[LimitSummary("claude-code", "usage_limit", 1, LATER)],
        rejected_claims=1,
    ),
    running=[RUNNING],
)
