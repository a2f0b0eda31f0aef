"""The four-ways check: it agrees on a ledger that balances and names each figure that does not."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest

from acd.database.connection import Database
from acd.reports.totals import Total, disagreements, four_ways


async def test_a_ledger_that_balances_agrees_four_ways(seeded: Database) -> None:
    totals = await four_ways(seeded)
    spent = (2812, 280, 28000, 140, 31232, Decimal("0.28000040"))
    assert totals == [
        Total("harness_sessions", *spent),
        Total("token_usage_details", *spent),
        Total("model_usage", *spent),
        Total("progress_snapshots", None, None, None, None, 31232, Decimal("0.28000040")),
    ]
    assert disagreements(totals) == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (
            "UPDATE harness_sessions SET cost_usd = cost_usd + 0.00000001 WHERE session_number = 1",
            ["harness_sessions has cost_usd 0.28000041, the ledger has 0.28000040"],
        ),
        (
            "UPDATE model_usage SET input_tokens = input_tokens + 1 WHERE model = 'mystery-1'",
            ["model_usage has input_tokens 2813, the ledger has 2812"],
        ),
        (
            "UPDATE progress_snapshots SET tokens_today = 0 WHERE passing_features = 2",
            ["progress_snapshots has total_tokens 31220, the ledger has 31232"],
        ),
    ],
)
async def test_a_figure_that_is_off_is_named(
    seeded: Database, damage: str, found: list[str]
) -> None:
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        await connection.execute(damage.encode())
    assert disagreements(await four_ways(seeded)) == found


async def test_no_session_at_all_agrees(database: Database) -> None:
    totals = await four_ways(database)
    assert [total.total_tokens for total in totals] == [0, 0, 0, 0]
    assert disagreements(totals) == []
