"""Every reading route against known rows: values and types, not only statuses."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

_FIELDS = (
    "id targetId sessionNumber sessionType model status startedAt finishedAt durationMs inputTokens outputTokens "
    "cacheReadTokens cacheWriteTokens costUsd featuresBefore featuresAfter featuresCompleted commitsMade errorType "
    "errorMessage"
)
MISSION_FIELDS = set(_FIELDS.split())


async def read(client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401 - JSON of any shape
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = json.loads(answer.content, parse_float=Decimal)
    assert list(body) in (["data"], ["data", "nextCursor"])
    return body["data"]


async def test_sessions(client: httpx.AsyncClient) -> None:
    rows = await read(client, "/api/db/sessions?limit=2")
    assert [row["sessionNumber"] for row in rows] == [7, 6]
    failed = rows[1]
    assert set(failed) >= MISSION_FIELDS
    assert {key: failed[key] for key in MISSION_FIELDS} == {
        "id": "50000000-0000-0000-0000-000000000006",
        "targetId": "a0000000-0000-0000-0000-000000000001",
        "sessionNumber": 6,
        "sessionType": "coding",
        "model": "opus",
        "status": "failed",
        "startedAt": "2026-03-01T16:00:00+00:00",
        "finishedAt": "2026-03-01T16:05:00+00:00",
        "durationMs": 300000,
        "inputTokens": 600,
        "outputTokens": 60,
        "cacheReadTokens": 6000,
        "cacheWriteTokens": 30,
        "costUsd": Decimal("0.06000006"),
        "featuresBefore": 0,
        "featuresAfter": 0,
        "featuresCompleted": -1,
        "commitsMade": 0,
        "errorType": "overloaded",
        "errorMessage": "the model is overloaded",
    }
    assert failed["target"] == {"name": "Shop API", "repoId": "shop-api"}
    assert rows[0]["finishedAt"] is None
    assert rows[0]["durationMs"] is None


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("repoId=shop-api&limit=1", [7]),
        ("repoId=org/tool", [None]),
        ("model=sonnet", [None]),
        ("status=running", [7]),
        ("type=initializer", [1]),
        ("since=2026-03-01T16:00:00Z", [7, 6]),
        ("since=2026-03-01&until=2026-03-01T12:00:00%2B00:00", [1]),
        ("repoId=nobody", []),
    ],
)
async def test_session_filters(
    client: httpx.AsyncClient, query: str, numbers: list[int | None]
) -> None:
    rows = await read(client, f"/api/db/sessions?{query}")
    assert [row["sessionNumber"] for row in rows] == numbers


async def test_one_session_is_its_row_and_all_that_belongs_to_it(client: httpx.AsyncClient) -> None:
    rows = await read(client, "/api/db/sessions")
    for row in rows:
        one = await read(client, f"/api/db/sessions/{row['id']}")
        assert {key: one[key] for key in row} == row

    fifth = await read(client, "/api/db/sessions/50000000-0000-0000-0000-000000000005")
    assert [commit["sha"] for commit in fifth["commits"]] == ["c1", "c2"]
    assert [change["change"] for change in fifth["featureChanges"]] == ["claimed", "verified"]
    assert fifth["errors"] == []
    sixth = await read(client, "/api/db/sessions/50000000-0000-0000-0000-000000000006")
    assert [error["errorCode"] for error in sixth["errors"]] == ["529"]
    seventh = await read(client, "/api/db/sessions/50000000-0000-0000-0000-000000000007")
    used = {u["model"]: u for u in seventh["requestsByModel"]}
    assert list(used) == ["claude-opus-4-8", "mystery-1"]
    assert used["claude-opus-4-8"]["costUsd"] == Decimal("0.07000007")
    assert (used["claude-opus-4-8"]["inputTokens"], used["mystery-1"]["inputTokens"]) == (693, 7)
    assert (used["mystery-1"]["costUsd"], used["mystery-1"]["unpricedRequests"]) == (None, 1)


async def test_targets(client: httpx.AsyncClient) -> None:
    docs, shop, tool = await read(client, "/api/db/targets")
    assert [docs["repoId"], shop["repoId"], tool["repoId"]] == ["docs", "shop-api", "org/tool"]
    assert docs["sessions"] == []
    assert docs["featuresAt"] is None
    assert [session["sessionNumber"] for session in shop["sessions"]] == [7, 6, 5, 4, 3]
    assert set(shop["sessions"][0]) == MISSION_FIELDS
    assert (shop["totalFeatures"], shop["passingFeatures"], shop["pendingFeatures"]) == (3, 1, 2)
    assert (shop["verifiedFeatures"], tool["verifiedFeatures"]) == (1, 0)
    assert shop["percentComplete"] == Decimal("33.33")
    assert (shop["totalSessions"], shop["totalTokens"]) == (7, 31220)
    assert shop["totalCostUsd"] == Decimal("0.28000028")
    assert (shop["tags"], shop["enabled"], docs["enabled"]) == (["api"], True, False)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=complete", ["org/tool"]),
        ("enabled=false", ["docs"]),
        ("q=SHOP", ["shop-api"]),
        ("q=repos&enabled=true", ["shop-api", "org/tool"]),
        ("q=%25", []),
    ],
)
async def test_target_filters(client: httpx.AsyncClient, query: str, found: list[str]) -> None:
    rows = await read(client, f"/api/db/targets?{query}")
    assert [row["repoId"] for row in rows] == found


async def test_summary(client: httpx.AsyncClient) -> None:
    assert await read(client, "/api/db/targets/summary") == {
        "totalTargets": 3,
        "enabledTargets": 2,
        "completeTargets": 1,
        "totalFeatures": 5,
        "passingFeatures": 3,
        "pendingFeatures": 2,
        "verifiedFeatures": 1,
        "overallPercent": Decimal("60.00"),
        "totalSessions": 8,
        "runningSessions": 1,
        "totalTokens": 31232,
        "totalCostUsd": Decimal("0.28000040"),
        "unpricedRequests": 1,
    }


async def test_queue_status_gives_percentages_as_strings(client: httpx.AsyncClient) -> None:
    status = await read(client, "/api/targets/status")
    assert status["summary"] == {
        "totalTargets": 3,
        "enabledTargets": 2,
        "totalFeatures": 5,
        "totalPassing": 3,
        "totalPending": 2,
        "overallComplete": "60.0",
    }
    assert status["scheduler"] == {
        "queueLength": 0,
        "runningTasks": 1,
        "circuitBreakerOpen": False,
    }
    assert [h["sessionNumber"] for h in status["activeHarnesses"]] == [7]
    shop = status["targets"][1]
    assert shop == {
        "id": "shop-api",
        "name": "Shop API",
        "path": "/repos/shop-api",
        "priority": 1,
        "enabled": True,
        "focus": "payments",
        "features": {"total": 3, "passing": 1, "pending": 2, "percentComplete": "33.3"},
    }


async def test_model_usage_of_the_last_days(client: httpx.AsyncClient) -> None:
    week = await read(client, "/api/db/model-usage")
    assert (week["periodDays"], week["totalTokens"], week["totalRequests"]) == (7, 31220, 8)
    assert week["totalCost"] == Decimal("0.28000028")
    assert list(week["byModel"]) == ["claude-opus-4-8", "mystery-1"]
    assert week["byModel"]["claude-opus-4-8"] == {
        "tokens": 31213,
        "cost": Decimal("0.28000028"),
        "requests": 7,
        "unpricedRequests": 0,
        "inputTokens": 2793,
        "outputTokens": 280,
        "cacheReadTokens": 28000,
        "cacheWriteTokens": 140,
    }
    assert week["byModel"]["mystery-1"]["unpricedRequests"] == 1
    assert (week["unpricedRequests"], week["byDay"][0]["unpricedRequests"]) == (1, 1)
    month = await read(client, "/api/db/model-usage?days=30")
    assert (month["totalTokens"], month["totalCost"]) == (31232, Decimal("0.28000040"))
    dates = [day["date"] for day in month["byDay"]]
    assert len(dates) == 2
    assert dates == sorted(dates, reverse=True)
    tool = await read(client, "/api/db/model-usage?days=30&repoId=org/tool")
    assert list(tool["byModel"]) == ["claude-sonnet-4-6"]


async def test_snapshots_of_the_last_days(client: httpx.AsyncClient) -> None:
    (week,) = await read(client, "/api/db/snapshots?days=7")
    assert week["target"] == {"name": "Shop API", "repoId": "shop-api"}
    assert (week["sessionsToday"], week["tokensToday"]) == (7, 31220)
    assert (week["costToday"], week["percentComplete"]) == (
        Decimal("0.28000028"),
        Decimal("33.33"),
    )
    month = await read(client, "/api/db/snapshots?days=30")
    assert [row["target"]["repoId"] for row in month] == ["shop-api", "org/tool"]
    assert await read(client, "/api/db/snapshots?days=7&repoId=org/tool") == []


async def test_errors(client: httpx.AsyncClient) -> None:
    overloaded, network = await read(client, "/api/db/errors")
    assert overloaded == {
        "id": "e0000000-0000-0000-0000-000000000001",
        "targetId": "a0000000-0000-0000-0000-000000000001",
        "sessionId": "50000000-0000-0000-0000-000000000006",
        "sessionNumber": 6,
        "errorType": "overloaded",
        "errorCode": "529",
        "message": "the model is <i>overloaded</i>",
        "stackTrace": None,
        "context": {"delay_ms": 500},
        "attempt": 1,
        "retryable": True,
        "resolved": False,
        "resolvedAt": None,
        "occurredAt": "2026-03-01T16:01:00+00:00",
        "target": {"name": "Shop API", "repoId": "shop-api"},
    }
    assert network["errorType"] == "network"
    (resolved,) = await read(client, "/api/db/errors?resolved=true")
    assert resolved["stackTrace"].startswith("Traceback")
    assert len(await read(client, "/api/db/errors?resolved=all")) == 3
    assert len(await read(client, "/api/db/errors?type=network")) == 1
    assert len(await read(client, "/api/db/errors?repoId=shop-api&resolved=all&limit=1")) == 1


async def test_features_that_do_not_pass_come_first_then_by_priority(
    client: httpx.AsyncClient,
) -> None:
    rows = await read(client, "/api/db/features/shop-api")
    assert [row["featureKey"] for row in rows] == ["login", "mail", "pay"]
    pay = rows[2]
    assert (pay["passes"], pay["verified"], pay["status"]) == (True, True, "passing")
    assert pay["evidence"] == {
        "command": "pytest -q",
        "commit": "c2",
        "exitStatus": 0,
        "outputTail": "",
        "durationMs": 0,
        "reason": "",
    }
    assert pay["steps"] == ["pay"]
    assert rows[0]["verified"] is False
    every = await read(client, "/api/db/features/shop-api?removed=true")
    assert [row["featureKey"] for row in every] == ["gone", "login", "mail", "pay"]
    assert await read(client, "/api/db/features/docs") == []
    assert await read(client, "/api/db/features/org/tool") == []
    assert await read(client, "/api/db/features/org%2Ftool") == []


async def test_commits(client: httpx.AsyncClient) -> None:
    newest, first = await read(client, "/api/db/commits/shop-api")
    assert (newest["sha"], first["sha"]) == ("c2", "c1")
    assert (first["filesChanged"], first["additions"], first["deletions"]) == (2, 30, 4)
    assert (first["author"], first["sessionNumber"]) == ("Ann", 5)
    assert len(await read(client, "/api/db/commits/shop-api?limit=1")) == 1
    assert await read(client, "/api/db/commits/docs") == []


async def test_ledger_rows(client: httpx.AsyncClient) -> None:
    rows = await read(client, "/api/db/token-usage")
    assert len(rows) == 9
    assert [row["requestKey"] for row in rows[:2]] == ["scripted:m7b", "scripted:m7"]
    assert rows[0]["costUsd"] is None
    assert (rows[0]["subagent"], rows[0]["toolName"]) == ("Explore", None)
    assert (rows[1]["toolName"], rows[1]["tools"]) == ("Bash", ["Bash", "Edit"])
    assert (rows[1]["cacheWrite5mTokens"], rows[1]["priceDate"]) == (35, "2026-03-01")
    seventh = "50000000-0000-0000-0000-000000000007"
    for query, found in [
        (f"sessionId={seventh}", ["scripted:m7b", "scripted:m7"]),
        (f"sessionId={seventh}&model=mystery-1", ["scripted:m7b"]),
        (f"sessionId={seventh}&repoId=org/tool", []),
        ("repoId=org/tool", ["claude-code:m8"]),
        ("limit=1", ["scripted:m7b"]),
    ]:
        rows = await read(client, f"/api/db/token-usage?{query}")
        assert [row["requestKey"] for row in rows] == found, query


async def test_health_has_no_wrapper(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/health")
    assert answer.status_code == 200
    health = answer.json()
    assert health["status"] == "ok"
    assert health["database"]["status"] == "ok"
    assert health["ledger"] == {"pending": None, "leftOutLines": 3}
    assert set(health) == {"status", "database", "ledger", "version"}
