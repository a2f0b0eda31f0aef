"""Costs of features, errors and models from sums by hand."""

from __future__ import annotations

from decimal import Decimal

from acd.core.contract import TargetName
from acd.reports.costs import Group, by_target, together


def group(
    repo_id: str = "shop",
    *,
    model: str = "opus",
    status: str = "completed",
    error: str | None = None,
    sessions: int = 1,
    cost: str = "1",
    features: int = 0,
    verified: int = 0,
    rejected: int = 0,
    rejected_cost: str = "0",
    commits: int = 0,
    remaining: int = 0,
    values: tuple[tuple[float, int], ...] = (),
) -> Group:
    """`values`: cost and features of each coding session."""
    return Group(
        target=TargetName(name=repo_id.title(), repo_id=repo_id),
        remaining=remaining,
        model=model,
        status=status,
        error_type=error,
        sessions=sessions,
        cost_usd=Decimal(cost),
        unpriced_requests=0,
        features=features,
        verified=verified,
        rejected_claims=rejected,
        rejected_cost_usd=Decimal(rejected_cost),
        commits=commits,
        pairs=len(values),
        x=sum(x for x, _ in values),
        y=sum(y for _, y in values),
        xx=sum(x * x for x, _ in values),
        yy=sum(y * y for _, y in values),
        xy=sum(x * y for x, y in values),
    )


def test_a_failure_costs_what_is_wasted_and_rejected_claims_their_share() -> None:
    told = together(
        None,
        [
            group(cost="6", features=3, verified=2, commits=4),
            group(cost="2", rejected=1, rejected_cost="1.5", features=1, verified=1),
            group(cost="1", status="failed", error="overloaded", sessions=2),
            group(cost="0.5", status="failed"),
        ],
    )
    assert (told.cost_usd, told.features, told.verified_features) == (Decimal("9.5"), 4, 3)
    assert told.cost_per_feature == Decimal("2.375")
    assert told.cost_per_verified_feature == Decimal("9.5") / 3
    assert told.cost_per_commit == Decimal("2.375")
    assert (told.failed_sessions, told.failed_cost_usd) == (3, Decimal("1.5"))
    assert told.wasted_cost_usd == 3
    assert [(one.error_type, one.sessions, one.cost_usd) for one in told.errors] == [
        ("overloaded", 2, 1),
        ("unknown", 1, Decimal("0.5")),
    ]


def test_the_most_efficient_model_is_first_and_one_without_a_feature_last() -> None:
    told = together(
        None,
        [
            group(model="opus", cost="9", features=3, sessions=4),
            group(model="haiku", cost="0.2", sessions=2),
            group(model="sonnet", cost="2", features=2, sessions=2),
            group(model="sonnet", cost="1", status="failed"),
        ],
    )
    assert [(one.model, one.cost_per_feature, one.sessions) for one in told.models] == [
        ("sonnet", Decimal("1.5"), 3),
        ("opus", 3, 4),
        ("haiku", None, 2),
    ]
    assert told.models[0].failed_sessions == 1


def test_what_is_left_costs_what_was_paid_so_far_within_a_range() -> None:
    values = ((1.0, 1), (1.2, 1), (0.8, 1), (1.1, 1), (0.9, 1), (2.0, 2))
    told = together(None, [group(remaining=10, values=values), group(remaining=10, model="haiku")])
    assert told.forecast is not None
    assert told.forecast.remaining_features == 10
    assert told.forecast.cost_usd == 10
    assert told.forecast.low_usd is not None
    assert told.forecast.high_usd is not None
    assert 7 < told.forecast.low_usd < 10 < told.forecast.high_usd < 13
    few = together(None, [group(remaining=10, values=values[:2])])
    assert few.forecast is not None
    assert (few.forecast.low_usd, few.forecast.sessions) == (None, 2)
    assert together(None, [group(remaining=10, values=((1.0, 0),))]).forecast is None
    assert together(None, [group(values=values)]).forecast is None


def test_the_rest_of_all_covers_targets_that_nobody_worked() -> None:
    worked = [group(remaining=1, features=2, cost="4", values=((4.0, 2),))]
    told = together(None, worked, 5)
    assert told.forecast is not None
    assert (told.forecast.remaining_features, told.forecast.cost_usd) == (5, Decimal(10))
    assert together(None, worked, 0).forecast is None


def test_targets_stand_by_what_they_cost() -> None:
    told = by_target([group("a", cost="1"), group("b", cost="3"), group("a", cost="1.5")])
    assert [(one.target and one.target.repo_id, one.cost_usd) for one in told] == [
        ("b", 3),
        ("a", Decimal("2.5")),
    ]
    assert together(None, []).cost_per_feature is None
