"""What was done since a time: the figures at the end of a run and of the demo. Raises DatabaseAway without a database."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from acd.core.contract import TargetName
from acd.database.connection import Database
from acd.reports._read import read


class TargetDone(msgspec.Struct, frozen=True, rename="camel"):
    """A target's part. `cost_usd` leaves out requests without a known price; `unpriced_requests` counts those."""

    target: TargetName
    status: str
    status_reason: str | None
    sessions: int
    failed_sessions: int
    features_completed: int
    passing_features: int
    total_features: int
    commits: int
    tokens: int
    cost_usd: Decimal
    unpriced_requests: int
    cost_per_feature: Decimal | None


class ModelDone(msgspec.Struct, frozen=True, rename="camel"):
    """A model's part; a session that used several models counts with each of them."""

    model: str
    sessions: int
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    tokens: int
    cost_usd: Decimal
    unpriced_requests: int


class ErrorsDone(msgspec.Struct, frozen=True, rename="camel"):
    """Errors of one type; `retried_by_agent` of them the agent got over by itself."""

    error_type: str
    errors: int
    retried_by_agent: int
    last_message: str


class Done(msgspec.Struct, frozen=True, rename="camel"):
    """All of it."""

    since: datetime
    sessions: int
    failed_sessions: int
    features_completed: int
    tokens: int
    cost_usd: Decimal
    targets: list[TargetDone]
    models: list[ModelDone]
    errors: list[ErrorsDone]


async def since(db: Database, at: datetime) -> bytes:
    """One `Done` of the sessions that began at or after a time."""
    return await read(db, "period.since", since=at)
