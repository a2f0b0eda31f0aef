"""Databases filled for benchmarks are what the program itself would have written: sums agree, nothing is left out."""

from __future__ import annotations

import psycopg
import pytest

from acd.core.contract import Summary
from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.reports import targets, totals
from acd.reports.rows import row_of
from bench.corpus import Size, fill

PARTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
ORDER BY 1, 2, 3
"""
SUMS = """
SELECT count(*), sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), sum(cost_usd),
       sum(unpriced_requests), count(*) FILTER (WHERE status = 'running')
FROM harness_sessions
"""
SMALL = Size(sessions=300, targets=7, requests=20, events=2, features=5, days=10)


def parts_of(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(PARTS).fetchall()


@pytest.mark.parametrize(
    ("size", "rows"),
    [(SMALL, 6000), (Size(sessions=300, targets=7, requests=0, features=5, days=10), 0)],
)
async def test_everything_agrees(
    settings: Settings, database_url: str, size: Size, rows: int
) -> None:
    before = parts_of(database_url)
    await fill(database_url, size)
    assert parts_of(database_url) == before
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT count(*) FROM token_usage_details").fetchone()
        sums = connection.execute(SUMS).fetchone()
    assert found == (rows,)
    opened = open_database(
        Settings(home=settings.home, database_url=database_url), application="test"
    )
    async with opened as database:
        ways = await totals.four_ways(database)
        summary = row_of(await targets.summary(database), Summary)
    assert sums == (
        summary.total_sessions,
        summary.total_tokens,
        summary.total_cost_usd,
        summary.unpriced_requests,
        summary.running_sessions,
    )
    assert summary.total_sessions == 300
    assert summary.unpriced_requests > 0
    if rows:
        assert totals.disagreements(ways) == []
