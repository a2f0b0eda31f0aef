"""What features, commits, errors and models cost, what was wasted, and what the rest will cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from acd.core.contract import Row, TargetName
from acd.core.cost_rows import CostForecast, Costs, CostsReport, ErrorCost, ModelCost
from acd.core.usage_rows import Asked
from acd.database.connection import Database
from acd.reports._read import read
from acd.reports.intervals import Sums, ratio
from acd.reports.rows import rows_of
from acd.reports.used import span_of

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_CENTS = Decimal("0.000001")


class Group(Row, frozen=True):
    """Sessions of one target, model, status and error type; sums of coding sessions that ended as in `Sums`."""

    target: TargetName
    remaining: int
    model: str
    status: str
    error_type: str | None
    sessions: int
    cost_usd: Decimal
    unpriced_requests: int
    features: int
    verified: int
    rejected_claims: int
    rejected_cost_usd: Decimal
    commits: int
    pairs: int
    x: float
    y: float
    xx: float
    yy: float
    xy: float
    list_price_cost_usd: Decimal = Decimal(0)


async def costs(db: Database, asked: Asked) -> bytes:
    """One `CostsReport`.

    Raises:
        ConfigError: there is no such time zone. DatabaseAway: there is no database now.
    """
    span = await span_of(db, asked)
    found = await read(
        db,
        "costs.of_sessions",
        since=span.since,
        until=span.until,
        repo_id=asked.repo_id,
        agent=asked.agent,
    )
    groups = rows_of(found, Group)
    left = int(await read(db, "costs.remaining", repo_id=asked.repo_id))
    report = CostsReport(
        since=span.since,
        until=span.until,
        timezone=span.zone.key,
        total=together(None, groups, left),
        targets=by_target(groups),
        list_price_cost_usd=_usd(group.list_price_cost_usd for group in groups),
    )
    return _ENCODER.encode(report)


def by_target(groups: Iterable[Group]) -> list[Costs]:
    """Each target's, the costliest first."""
    targets: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        targets[group.target.repo_id].append(group)
    told = [together(each[0].target, each) for each in targets.values()]
    return sorted(told, key=lambda one: -one.cost_usd)


def together(target: TargetName | None, groups: Sequence[Group], left: int | None = None) -> Costs:
    """What groups of sessions come to. `left`: features that are left, also at targets that none of them worked."""
    cost = _usd(group.cost_usd for group in groups)
    failed = [group for group in groups if group.status == "failed"]
    features = sum(group.features for group in groups)
    verified = sum(group.verified for group in groups)
    commits = sum(group.commits for group in groups)
    unpriced = sum(group.unpriced_requests for group in groups)
    rejected_cost = _usd(group.rejected_cost_usd for group in groups)
    failed_cost = _usd(group.cost_usd for group in failed)
    return Costs(
        target=target,
        sessions=sum(group.sessions for group in groups),
        cost_usd=cost,
        unpriced_requests=unpriced,
        features=features,
        verified_features=verified,
        cost_per_feature=each_costs(cost, unpriced, features),
        cost_per_verified_feature=each_costs(cost, unpriced, verified),
        commits=commits,
        cost_per_commit=each_costs(cost, unpriced, commits),
        failed_sessions=sum(group.sessions for group in failed),
        failed_cost_usd=failed_cost,
        rejected_claims=sum(group.rejected_claims for group in groups),
        rejected_cost_usd=rejected_cost,
        wasted_cost_usd=failed_cost + rejected_cost,
        errors=_errors(failed),
        models=_models(groups),
        forecast=_forecast(groups, left),
    )


def _errors(failed: Sequence[Group]) -> list[ErrorCost]:
    types: dict[str, list[Group]] = defaultdict(list)
    for group in failed:
        types[group.error_type or "unknown"].append(group)
    told = [
        ErrorCost(
            error_type=error_type,
            sessions=sum(group.sessions for group in each),
            cost_usd=_usd(group.cost_usd for group in each),
        )
        for error_type, each in types.items()
    ]
    return sorted(told, key=lambda one: (-one.cost_usd, one.error_type))


def _models(groups: Sequence[Group]) -> list[ModelCost]:
    models: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        models[group.model].append(group)
    told = [_model(name, each) for name, each in models.items()]
    never = Decimal("Infinity")
    return sorted(
        told,
        key=lambda one: (
            never if one.cost_per_feature is None else one.cost_per_feature,
            one.cost_usd,
            one.model,
        ),
    )


def _model(name: str, groups: Sequence[Group]) -> ModelCost:
    cost = _usd(group.cost_usd for group in groups)
    features = sum(group.features for group in groups)
    return ModelCost(
        model=name,
        sessions=sum(group.sessions for group in groups),
        failed_sessions=sum(group.sessions for group in groups if group.status == "failed"),
        features=features,
        verified_features=sum(group.verified for group in groups),
        cost_usd=cost,
        cost_per_feature=each_costs(
            cost, sum(group.unpriced_requests for group in groups), features
        ),
    )


def _forecast(groups: Sequence[Group], left: int | None) -> CostForecast | None:
    """The features that are left, each at what one cost so far: cost and features of coding sessions, failed ones too."""
    of_targets = {group.target.repo_id: group.remaining for group in groups}
    remaining = sum(of_targets.values()) if left is None else left
    sums = Sums(
        pairs=sum(group.pairs for group in groups),
        x=sum(group.x for group in groups),
        y=sum(group.y for group in groups),
        xx=sum(group.xx for group in groups),
        yy=sum(group.yy for group in groups),
        xy=sum(group.xy for group in groups),
    )
    unpriced = any(group.unpriced_requests for group in groups)
    if remaining <= 0 or sums.y <= 0 or (sums.x <= 0 and unpriced):
        return None  # what nobody can price is not free
    within = ratio(sums)
    return CostForecast(
        remaining_features=remaining,
        cost_usd=_rounded(remaining * sums.x / sums.y),
        low_usd=_rounded(remaining * within.low) if within else None,
        high_usd=_rounded(remaining * within.high) if within else None,
        sessions=sums.pairs,
    )


def _usd(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def each_costs(cost: Decimal, unpriced: int, count: int) -> Decimal | None:
    """What nobody can price is not free."""
    return cost / count if count > 0 and (cost or not unpriced) else None


def _rounded(usd: float) -> Decimal:
    return Decimal(usd).quantize(_CENTS)
