"""Features by day and the forecast, against rows that are known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from acd.database.connection import Database

SHOP = "a0000000-0000-0000-0000-000000000001"


async def told(client: httpx.AsyncClient, query: str) -> Any:  # noqa: ANN401 - JSON
    answer = await client.get(f"/api/reports/{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_day_without_a_snapshot_has_what_the_day_before_had(
    client: httpx.AsyncClient,
) -> None:
    """The seed: the shop's snapshot is yesterday's (1 of 3), the tool's ten days old (2 of 2)."""
    days = await told(client, "progress?days=12")
    figures = [(day["passingFeatures"], day["totalFeatures"]) for day in days]
    assert figures == [(2, 2)] * 9 + [(3, 5)] * 2
    today = datetime.now(UTC).date()
    assert days[-1]["date"] == today.isoformat()
    assert days[0]["date"] == (today - timedelta(days=10)).isoformat()
    own = await told(client, "progress?days=12&repoId=shop-api")
    assert [day["passingFeatures"] for day in own] == [1, 1]
    assert await told(client, "progress?repoId=docs") == []


async def test_the_forecast_is_that_of_the_pace(
    client: httpx.AsyncClient, seeded: Database
) -> None:
    before = await told(client, "forecast?repoId=shop-api")
    assert before["finish"] is None
    assert (before["remaining"], before["gained"]) == (2, 0)
    assert before["reason"].startswith("0 features passed in 7 days")
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        await connection.execute(
            "INSERT INTO target_features (target_id, feature_key, name, status, passes, implemented_at, first_seen_at,"
            " content_sha256) SELECT %s, 'new' || n, 'New', 'passing', true, now() - n * interval '1 day',"
            " now() - CASE WHEN n > 5 THEN n ELSE 20 END * interval '1 day', 'x' FROM generate_series(1, 9) AS n",
            [SHOP],
        )
    after = await told(client, "forecast?repoId=shop-api")
    assert after["gained"] == 5, "one passed when it was first seen, three too long ago"
    now = datetime.now(UTC)
    assert datetime.fromisoformat(after["finish"]) - now == pytest.approx(
        timedelta(days=7 * 2 / 5), abs=timedelta(minutes=5)
    )
    assert after["earliest"] < after["finish"] < after["latest"]


async def test_the_forecast_of_all_is_of_those_that_are_enabled(
    client: httpx.AsyncClient,
) -> None:
    assert (await told(client, "forecast"))["remaining"] == 2
    done = await told(client, "forecast?repoId=org/tool")
    assert (done["remaining"], done["reason"]) == (0, "everything passes")


@pytest.mark.parametrize("path", ["progress", "forecast"])
async def test_an_unknown_target_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/api/reports/{path}?repoId=nobody")
    assert answer.status_code == 404
