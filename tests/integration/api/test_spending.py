"""Cost over time and by hour, and models compared, against the known rows."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from acd.database.connection import Database

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

SPRING = "from=2026-02-01&to=2026-03-31"
# Sonnet worked the shop too: six sessions of 1 to 6 minutes, each with two features; and the docs alone, in vain.
MORE = """
INSERT INTO harness_sessions (target_id, id, session_number, session_type, origin, agent, agent_session_id, model,
                              status, started_at, finished_at, duration_ms, cost_usd, request_count, features_completed)
SELECT ('a0000000-0000-0000-0000-00000000000' || t)::uuid, gen_random_uuid(), 100 + n, 'coding', 'harness', 'scripted',
       'more-' || t || '-' || n, 'sonnet', CASE t WHEN 1 THEN 'completed' ELSE 'failed' END, '2026-03-02 09:30+00',
       '2026-03-02 10:00+00', n * 60000, 0.5, 1, CASE t WHEN 1 THEN 2 END
FROM generate_series(1, 8) AS n, (VALUES (1), (2)) AS target (t)
"""


async def report(client: httpx.AsyncClient, query: str) -> dict[str, Any]:
    answer = await client.get(f"/api/reports/{query}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)["data"]
    return data


@pytest.fixture
async def more(seeded: Database) -> None:
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        await connection.execute(MORE)


@pytest.mark.parametrize("split", ["model", "target"])
@pytest.mark.parametrize("step", ["day", "week", "month"])
async def test_the_parts_add_up_to_the_cost_report(
    client: httpx.AsyncClient, split: str, step: str
) -> None:
    told = await report(client, f"cost-over-time?step={step}&splitBy={split}")
    assert (told["step"], told["splitBy"]) == (step, split)
    cost = await report(client, f"cost?groupBy={step}")
    assert sum(part["costUsd"] for part in told["rows"]) == cost["total"]["costUsd"]
    days = {row["key"]: row["costUsd"] for row in cost["rows"]}
    for day, whole in days.items():
        assert sum(p["costUsd"] for p in told["rows"] if p["firstDay"] == day) == whole
    assert [part["firstDay"] for part in told["rows"]] == sorted(
        (part["firstDay"] for part in told["rows"]), reverse=True
    )


async def test_parts_have_names_and_what_is_unpriced(client: httpx.AsyncClient) -> None:
    (shop,) = (await report(client, "cost-over-time?splitBy=target&repoId=shop-api"))["rows"]
    assert (shop["key"], shop["name"]) == ("shop-api", "Shop API")
    assert (shop["costUsd"], shop["unpricedRequests"]) == (Decimal("0.28000028"), 1)
    models = (await report(client, "cost-over-time?repoId=shop-api"))["rows"]
    assert [part["key"] for part in models] == ["claude-opus-4-8", "mystery-1"]


async def test_hours_are_those_in_which_sessions_began(client: httpx.AsyncClient) -> None:
    told = await report(client, f"cost-by-hour?{SPRING}")
    hours = [(row["weekday"], row["hour"], row["sessions"]) for row in told["rows"]]
    assert hours == [(7, hour, 1) for hour in (8, 11, 12, 13, 14, 15, 16, 17)]
    assert told["rows"][1]["costUsd"] == Decimal("0.01000001")
    throughput = await report(client, f"cache?{SPRING}")
    assert sum(row["costUsd"] for row in told["rows"]) == throughput["total"]["costUsd"]


@pytest.mark.usefixtures("more")
async def test_models_are_compared_on_targets_that_each_of_them_worked(
    client: httpx.AsyncClient,
) -> None:
    told = await report(client, f"model-comparison?{SPRING}")
    assert told["targets"] == [{"name": "Shop API", "repoId": "shop-api"}]
    sonnet, opus = told["models"]
    assert (sonnet["model"], sonnet["sessions"], sonnet["featuresCompleted"]) == ("sonnet", 8, 16)
    assert float(sonnet["successRate"]["value"]) == 1
    assert float(sonnet["successRate"]["interval"]["low"]) == pytest.approx(0.6756, abs=1e-3)
    assert float(sonnet["costPerFeature"]["value"]) == 0.25
    assert float(sonnet["durationMs"]["value"]) == 270000
    assert {end: float(at) for end, at in sonnet["durationMs"]["interval"].items()} == {
        "low": 60000.0,
        "high": 480000.0,
    }
    # Sessions 2 to 6: one feature came, one was lost, so no cost per feature; five are too few for a median's interval.
    assert (opus["sessions"], float(opus["successRate"]["value"])) == (5, 0.8)
    assert opus["costPerFeature"] == {"value": None, "sessions": 5, "interval": None}
    assert opus["durationMs"] == {"value": 300000.0, "sessions": 5, "interval": None}
    assert float(opus["featuresPerSession"]["value"]) == 0


@pytest.mark.usefixtures("more")
async def test_all_targets_or_some_models_can_be_asked_for(client: httpx.AsyncClient) -> None:
    told = await report(client, f"model-comparison?{SPRING}&sameTargets=false")
    assert [target["repoId"] for target in told["targets"]] == ["docs", "shop-api"]
    assert [(one["model"], one["sessions"]) for one in told["models"]] == [
        ("sonnet", 16),
        ("opus", 5),
    ]
    alone = await report(client, f"model-comparison?{SPRING}&model=sonnet")
    assert [(one["model"], one["targets"]) for one in alone["models"]] == [("sonnet", 2)]
    none = await report(client, "model-comparison?from=2001-01-01&to=2001-01-02")
    assert (none["models"], none["targets"]) == ([], [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cost-over-time?step=year", "step"),
        ("cost-over-time?splitBy=agent", "splitBy"),
        ("cost-by-hour?from=yesterday", "from"),
        ("model-comparison?sameTargets=maybe", "sameTargets"),
    ],
)
async def test_a_bad_value_is_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/api/reports/{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field
