"""What things cost that sessions brought about, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from acd.core.contract import Moment, Row, TargetName


class ErrorCost(Row, frozen=True):
    """What the sessions cost that failed with an error of this type."""

    error_type: str
    sessions: int
    cost_usd: Decimal


class ModelCost(Row, frozen=True):
    """What a model (the family that was asked for) cost at a target, or at all; `features` pass now."""

    model: str
    sessions: int
    failed_sessions: int
    features: int
    verified_features: int
    cost_usd: Decimal
    cost_per_feature: Decimal | None


class CostForecast(Row, frozen=True):
    """What the features that are left will cost, if they cost what those of `sessions` coding sessions did.

    `low_usd` to `high_usd` is an interval of 95 %; None where so few sessions tell none.
    """

    remaining_features: int
    cost_usd: Decimal
    low_usd: Decimal | None
    high_usd: Decimal | None
    sessions: int


class Costs(Row, frozen=True):
    """What the sessions of a target (None: of all) cost, and what came of it. Cost leaves out unpriced requests.

    `features` were implemented by these sessions and pass now, `verified_features` of them acd saw pass itself. Wasted is
    the cost of failed sessions, and the share of others that went into claims which acd rejected: a session's cost is
    shared evenly among its rejected claims and its features. `models`: the least cost of a feature first, then those
    without one. `forecast` is None where nothing is left, or nothing was done yet.
    """

    target: TargetName | None
    sessions: int
    cost_usd: Decimal
    unpriced_requests: int
    features: int
    verified_features: int
    cost_per_feature: Decimal | None
    cost_per_verified_feature: Decimal | None
    commits: int
    cost_per_commit: Decimal | None
    failed_sessions: int
    failed_cost_usd: Decimal
    rejected_claims: int
    rejected_cost_usd: Decimal
    wasted_cost_usd: Decimal
    errors: list[ErrorCost]
    models: list[ModelCost]
    forecast: CostForecast | None


class CostsReport(Row, frozen=True):
    """Of sessions begun from `since` to before `until` (None: without end); targets by cost.

    `list_price_cost_usd`: the part of the cost that is of sessions under a subscription, which are not billed by the token.
    """

    since: Moment
    until: Moment | None
    timezone: str
    total: Costs
    targets: list[Costs]
    list_price_cost_usd: Decimal = Decimal(0)


class SessionLines(Row, frozen=True):
    """What a session cost, and how many lines of HEAD its commits wrote; `cost_per_line` is None where there are none."""

    session_id: UUID
    session_number: int | None
    model: str
    cost_usd: Decimal
    unpriced_requests: int
    lines: int
    cost_per_line: Decimal | None


class SurvivingLines(Row, frozen=True):
    """The lines of a target's HEAD (text files), and what those cost that its sessions of a time wrote.

    `lines` are theirs, `lines_of_other_sessions` those of sessions of another time; the rest nobody recorded. `cost_usd` is
    all that they cost. `reason` says why nothing could be counted; `head` is None then.
    """

    repo_id: str
    head: str | None
    reason: str | None
    files_left_out: int
    head_lines: int
    lines: int
    lines_of_other_sessions: int
    cost_usd: Decimal
    unpriced_requests: int
    cost_per_line: Decimal | None
    sessions: list[SessionLines]
    list_price_cost_usd: Decimal = Decimal(0)
