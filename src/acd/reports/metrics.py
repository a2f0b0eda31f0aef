"""The figures that a monitoring system reads: totals since the beginning, and how things stand now."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from acd.database.connection import Database
from acd.reports._read import read
from acd.reports.rows import row_of


class ModelTotal(msgspec.Struct, frozen=True, rename="camel"):
    """What a model used in all; `cost_usd` leaves out requests without a known price."""

    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal
    requests: int


class Figures(msgspec.Struct, frozen=True, rename="camel"):
    """All of it; dicts are counts by status or type and leave out what does not occur.

    `reported_cost_usd` and `priced_cost_usd` are of the same sessions: those of the last seven
    days that both can be told of.
    """

    sessions: dict[str, int]
    targets: dict[str, int]
    models: list[ModelTotal]
    errors: dict[str, int]
    unresolved_errors: int
    unpriced_requests: int
    reported_cost_usd: Decimal
    priced_cost_usd: Decimal
    total_features: int
    passing_features: int
    verified_features: int
    queue_depth: int


async def now(db: Database) -> Figures:
    """The figures at this moment.

    Raises:
        DatabaseAway: there is no database now.
    """
    return row_of(await read(db, "metrics.now"), Figures)
