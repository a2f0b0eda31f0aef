"""What `acd report` shows of a time that is over, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from acd.core.contract import Moment, RunningSession, TargetName


class TargetSummary(msgspec.Struct, frozen=True, rename="camel"):
    """A target on which something was done, or which is stuck. Status, reason and totals are those of now.

    `finished`: it is complete, and its last feature was implemented in the period. `rejected_claims` are features that a
    session called done and that acd then saw fail; 0 from a server of before.
    """

    target: TargetName
    status: str
    status_reason: str | None
    finished: bool
    sessions: int
    failed_sessions: int
    verified_features: int
    unverified_features: int
    commits: int
    tokens: int
    cost_usd: Decimal
    unpriced_requests: int
    passing_features: int
    total_features: int
    rejected_claims: int = 0


class ErrorSummary(msgspec.Struct, frozen=True, rename="camel"):
    """Errors of one type; `retried_by_agent` of them the agent got over by itself."""

    error_type: str
    errors: int
    retried_by_agent: int
    last_message: str


class LimitSummary(msgspec.Struct, frozen=True, rename="camel"):
    """Sessions that a limit of an agent's account ended; others then waited for its reset."""

    agent: str
    error_type: str
    sessions: int
    last_at: Moment


class PeriodSummary(msgspec.Struct, frozen=True, rename="camel"):
    """What was done from `since` to before `until`.

    Tokens and cost are those of requests in that time, sessions those begun in it, features those implemented in it
    that pass now: seen passing by acd (`verified_features`), or by the agent's word alone. `list_price_cost_usd`: the
    part of the cost that is of sessions under a subscription, which are not billed by the token.
    """

    since: Moment
    until: Moment
    sessions: int
    failed_sessions: int
    verified_features: int
    unverified_features: int
    commits: int
    tokens: int
    cost_usd: Decimal
    unpriced_requests: int
    targets: list[TargetSummary]
    errors: list[ErrorSummary]
    limits: list[LimitSummary]
    rejected_claims: int = 0
    list_price_cost_usd: Decimal = Decimal(0)


class NightSummary(msgspec.Struct, frozen=True, rename="camel"):
    """A period, and what runs now (`GET /api/reports/summary`)."""

    period: PeriodSummary
    running: list[RunningSession]
