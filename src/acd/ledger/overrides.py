"""Prices that a person set: kept in the database, known to the price list within a second."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import msgspec

from acd.core.price_rows import PriceOverride
from acd.database.connection import Database
from acd.ledger.price import PriceList, Rates

_FRESH_S = 1.0
"""Everything is priced by what was set so long ago at the latest; what was recorded before is `acd reprice`'s."""


async def refresh(prices: PriceList, database: Database) -> None:
    """Have the list know what was set, unless it was looked at within the last second.

    Raises:
        DatabaseAway: it is not known what was set.
    """
    now = time.monotonic()
    if now < prices.fresh_until:
        return
    found = await database.fetch_json("prices.overrides")
    prices.override(msgspec.json.decode(found or b"[]", type=list[PriceOverride]))
    prices.fresh_until = now + _FRESH_S


async def put(
    database: Database, model: str, provider: str, valid_from: date, rates: Rates
) -> None:
    """Set what a model costs from a day on; rates in USD for one token, one search.

    Raises:
        DatabaseAway: perhaps it was set; doing it again is safe.
    """
    million = {
        name: getattr(rates, name) * (1 if name == "web_search" else 1_000_000)
        for name in Rates._fields
    }
    plain: dict[str, Decimal] = {name: value.normalize() for name, value in million.items()}
    await database.execute(
        "prices.put_override", model=model, provider=provider, valid_from=valid_from, **plain
    )


async def drop(
    database: Database, model: str, *, provider: str | None = None, valid_from: date | None = None
) -> int:
    """Take back what was set for a model: all of it, or of one provider, or from one day. How many prices that were."""
    return await database.execute(
        "prices.drop_overrides", model=model, provider=provider, valid_from=valid_from
    )
