"""The reports against the known rows, worked out by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from acd.database.connection import Database

# `make test` is to take less than five minutes.
pytestmark = pytest.mark.extra

SPRING = "from=2026-02-01&to=2026-03-31"
TIMES = ["day", "week", "month"]
KEYS = [*TIMES, "target", "model", "agent", "branch"]
NAMES = [
    "cost",
    "tokens",
    "cache",
    "throughput",
    "success-rate",
    "error-rate",
    "cost-per-feature",
    "cost-per-commit",
]


async def report(client: httpx.AsyncClient, query: str) -> dict[str, Any]:
    answer = await client.get(f"/api/reports/{query}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)["data"]
    return data


def by_key(told: dict[str, Any], figure: str) -> dict[str | None, Any]:
    return {row["key"]: row[figure] for row in told["rows"]}


async def test_cost(client: httpx.AsyncClient) -> None:
    told = await report(client, "cost?groupBy=target")
    assert told["total"] == {
        "key": None,
        "name": None,
        "costUsd": Decimal("0.28000040"),
        "requests": 9,
        "unpricedRequests": 1,
    }
    assert by_key(told, "costUsd") == {
        "shop-api": Decimal("0.28000028"),
        "org/tool": Decimal("0.00000012"),
    }
    assert by_key(told, "name")["shop-api"] == "Shop API"
    assert by_key(told, "unpricedRequests") == {"shop-api": 1, "org/tool": 0}
    only = await report(client, "cost?groupBy=agent&repoId=org/tool")
    assert by_key(only, "costUsd") == {"claude-code": Decimal("0.00000012")}
    assert only["total"]["requests"] == 1


async def test_tokens(client: httpx.AsyncClient) -> None:
    told = await report(client, "tokens?groupBy=model")
    assert by_key(told, "totalTokens") == {
        "claude-opus-4-8": 31213,
        "claude-sonnet-4-6": 12,
        "mystery-1": 7,
    }
    assert told["total"]["inputTokens"] == 2812
    agents = await report(client, "tokens?groupBy=agent")
    assert by_key(agents, "totalTokens") == {"scripted": 31220, "claude-code": 12}


@pytest.mark.parametrize("name", ["cost", "tokens"])
@pytest.mark.parametrize("key", KEYS)
async def test_rows_add_up_to_the_same_total_by_whatever_key(
    client: httpx.AsyncClient, name: str, key: str
) -> None:
    figure = {"cost": "costUsd", "tokens": "totalTokens"}[name]
    told = await report(client, f"{name}?groupBy={key}")
    whole = await report(client, f"{name}?groupBy=day")
    assert sum(row[figure] for row in told["rows"]) == told["total"][figure]
    assert told["total"] == whole["total"]


async def test_cache_and_waste(client: httpx.AsyncClient) -> None:
    """In vain were session 6, which failed, and 2 to 4, coding sessions that completed nothing."""
    told = await report(client, f"cache?{SPRING}&groupBy=model")
    assert by_key(told, "wastedSessions") == {"opus": 4, "sonnet": 0}
    assert by_key(told, "wastedCostUsd") == {"opus": Decimal("0.15000015"), "sonnet": 0}
    assert float(by_key(told, "cacheHitRate")["opus"]) == pytest.approx(
        28000 / (2800 + 28000 + 140)
    )
    assert told["total"]["sessions"] == 8


async def test_throughput(client: httpx.AsyncClient, seeded: Database) -> None:
    told = await report(client, f"throughput?{SPRING}")
    assert by_key(told, "sessions") == {"2026-03-01": 7, "2026-02-01": 1}
    assert told["total"] == {
        "key": None,
        "name": None,
        "sessions": 8,
        "running": 1,
        "featuresCompleted": 0,
        "commits": 2,
        "durationMs": 1860000,
        "featuresPerHour": Decimal("0.0"),
    }
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        await connection.execute(
            "UPDATE harness_sessions SET features_completed = 3 WHERE session_number = 5"
        )
    told = await report(client, f"throughput?{SPRING}&groupBy=month")
    assert by_key(told, "featuresCompleted") == {"2026-03-01": 2, "2026-02-01": 0}
    assert by_key(told, "featuresPerHour")["2026-03-01"] == Decimal("4.0")  # 2 in 30 minutes


async def test_success_rate(client: httpx.AsyncClient) -> None:
    told = await report(client, f"success-rate?{SPRING}&groupBy=target")
    assert by_key(told, "completed") == {"shop-api": 5, "org/tool": 1}
    assert by_key(told, "running") == {"shop-api": 1, "org/tool": 0}
    assert [float(rate) for rate in by_key(told, "successRate").values()] == [
        pytest.approx(5 / 6),
        1.0,
    ]


async def test_error_rate(client: httpx.AsyncClient) -> None:
    told = await report(client, f"error-rate?{SPRING}&groupBy=target")
    shop, tool = told["rows"]
    assert (shop["errors"], shop["openErrors"], shop["sessionsWithErrors"]) == (2, 1, 1)
    assert shop["byType"] == {"internal": 1, "overloaded": 1}
    assert float(shop["errorsPerSession"]) == pytest.approx(2 / 7)
    assert (tool["key"], tool["byType"]) == ("org/tool", {"network": 1})
    assert told["total"]["byType"] == {"internal": 1, "network": 1, "overloaded": 1}
    weeks = await report(client, f"error-rate?{SPRING}&groupBy=week")
    assert by_key(weeks, "errors") == {"2026-02-23": 2, "2026-01-26": 1}
    # An error that belongs to no session has no model.
    models = await report(client, f"error-rate?{SPRING}&groupBy=model")
    assert by_key(models, "errors") == {"opus": 1, "sonnet": 1, None: 1}


async def test_cost_per_feature(client: httpx.AsyncClient) -> None:
    features = await report(client, f"cost-per-feature?{SPRING}&groupBy=feature")
    (pay,) = features["rows"]
    assert (pay["key"], pay["name"]) == ("shop-api/pay", "Payments")
    assert pay["costPerFeature"] == Decimal("0.05000005")  # session 5 implemented it alone
    targets = await report(client, f"cost-per-feature?{SPRING}")
    assert by_key(targets, "costPerFeature") == {
        "shop-api": None,
        "org/tool": None,
    }  # one came, one went
    assert by_key(targets, "featuresCompleted") == {"shop-api": 0, "org/tool": 0}


async def test_cost_per_commit(client: httpx.AsyncClient) -> None:
    told = await report(client, f"cost-per-commit?{SPRING}")
    assert by_key(told, "costPerCommit") == {"shop-api": Decimal("0.14000014"), "org/tool": None}
    assert told["total"]["costPerCommit"] == Decimal("0.14000020")


async def test_models(client: httpx.AsyncClient) -> None:
    told = await report(client, f"models?{SPRING}")
    assert told["groupBy"] == "model"
    opus, sonnet = told["rows"]
    assert (opus["key"], opus["sessions"], opus["failed"], opus["commits"]) == ("opus", 7, 1, 2)
    assert (opus["averageDurationMs"], sonnet["averageDurationMs"]) == (300000, 60000)
    assert opus["costUsd"] == Decimal("0.28000028")


@pytest.mark.parametrize("name", [*NAMES, "models"])
async def test_a_period_without_anything_is_zeros(client: httpx.AsyncClient, name: str) -> None:
    told = await report(client, f"{name}?from=2001-01-01&to=2001-01-31")
    assert (told["from"], told["to"], told["rows"]) == ("2001-01-01", "2001-01-31", [])
    figures = set(told["total"].values()) if name != "error-rate" else set()
    assert figures <= {None, 0}
    backwards = await report(client, f"{name}?from=2026-03-31&to=2026-02-01")
    assert backwards["rows"] == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", KEYS)
async def test_every_key_gives_rows(client: httpx.AsyncClient, name: str, key: str) -> None:
    told = await report(client, f"{name}?from=2026-02-01&groupBy={key}")
    assert told["groupBy"] == key
    assert told["rows"]
    keys = [row["key"] for row in told["rows"]]
    assert len(set(keys)) == len(keys)
    if key in TIMES:
        assert keys == sorted(keys, reverse=True)


async def test_the_usual_period_is_thirty_days_until_today(
    client: httpx.AsyncClient, seeded: Database
) -> None:
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        cursor = await connection.execute("SELECT (current_date - 29)::text, current_date::text")
        days = await cursor.fetchone()
    told = await report(client, "cost")
    assert (told["from"], told["to"]) == days


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cost?groupBy=feature", "groupBy"),
        ("cost?groupBy=colour", "groupBy"),
        ("models?groupBy=day", "groupBy"),
        ("error-rate?groupBy=feature", "groupBy"),
        ("cost?from=yesterday", "from"),
        ("cost?to=1e9", "to"),
        ("cost?from=20260301", "from"),
        ("cost?to=2026-02-30", "to"),
    ],
)
async def test_a_bad_value_is_422_and_named(
    client: httpx.AsyncClient, query: str, field: str
) -> None:
    answer = await client.get(f"/api/reports/{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


async def test_other_reports_are_404(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/reports/happiness")).status_code == 404
