"""Does the ledger balance? The same spending summed four ways."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from acd.database.connection import Database


class Total(msgspec.Struct, frozen=True):
    """All spending as one table has it; kinds of tokens are None where a table holds their sum only."""

    way: str
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    total_tokens: int
    cost_usd: Decimal


async def four_ways(db: Database) -> list[Total]:
    """The totals by sessions, ledger rows, model_usage and progress_snapshots, in this order.

    Raises:
        DatabaseAway: there is no database now.
    """
    return msgspec.convert(await db.fetch_all("usage.totals"), type=list[Total])


def disagreements(totals: list[Total]) -> list[str]:
    """One sentence for each figure that differs from that of the ledger rows; empty when everything agrees."""
    ledger = next(total for total in totals if total.way == "token_usage_details")
    return [
        f"{total.way} has {field} {value}, the ledger has {expected}"
        for total in totals
        for field in Total.__struct_fields__[1:]
        if (value := getattr(total, field)) is not None
        and value != (expected := getattr(ledger, field))
    ]
