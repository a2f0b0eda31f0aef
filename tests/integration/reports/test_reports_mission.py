"""The mission's examples, word for word: its SQL on our tables, its curl paths on our API."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import httpx
import psycopg
import pytest

from acd.database.connection import Database

COST_BY_TARGET = b"""
SELECT t.name, SUM(s.cost_usd) as total_cost
FROM targets t
JOIN harness_sessions s ON s.target_id = t.id
GROUP BY t.name
ORDER BY total_cost DESC;
"""
SESSIONS_PER_DAY = b"""
SELECT DATE(started_at) as day, COUNT(*) as sessions
FROM harness_sessions
GROUP BY day
ORDER BY day DESC;
"""
FEATURES_PER_MODEL = b"""
SELECT model, SUM(features_completed) as features
FROM harness_sessions
GROUP BY model;
"""


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (
            COST_BY_TARGET,
            [("Shop API", Decimal("0.28000028")), ("<b>Tool</b> & Co", Decimal("0.00000012"))],
        ),
        (SESSIONS_PER_DAY, [(date(2026, 3, 1), 7), (date(2026, 2, 1), 1)]),
    ],
)
async def test_ordered_sql_examples(
    seeded: Database, statement: bytes, rows: list[tuple[object, ...]]
) -> None:
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        assert await (await connection.execute(statement)).fetchall() == rows


async def test_features_per_model(seeded: Database) -> None:
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        found = await (await connection.execute(FEATURES_PER_MODEL)).fetchall()
    assert dict(found) == {"opus": 0, "sonnet": None}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/db/targets/summary", dict),
        ("/api/db/sessions?limit=10", list),
        ("/api/db/model-usage?days=30", dict),
        ("/api/db/snapshots?days=7", list),
        ("/api/db/targets", list),
        ("/api/db/errors", list),
        ("/api/db/features/shop-api", list),
    ],
)
async def test_curl_examples_and_endpoints(
    client: httpx.AsyncClient, path: str, kind: type
) -> None:
    answer = await client.get(path, headers={"Host": "localhost:3434", "User-Agent": "curl/8"})
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert type(data) is kind
    assert data
