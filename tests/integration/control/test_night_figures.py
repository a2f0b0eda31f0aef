"""The summary of a run is what the other reports say of it, and what the agents themselves counted."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx

from acd.database.connection import Database
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import running

REFUSED = {"steps": [{"do": "fail", "error": "auth"}]}


async def data(client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401 - JSON
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)["data"]


async def test_the_summary_of_a_run(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    place.repository("good", ["F1", "F2"])
    place.repository("bad", ["F1"])
    feature = {"steps": [{"do": "say"}, {"do": "feature"}]}
    place.write_scenario(good={"sessions": [feature]}, bad={"sessions": [REFUSED]})
    place.write_queue({"id": "good"}, {"id": "bad"})
    async with running(database, place, Seen(), concurrency=2) as run:
        await asyncio.wait_for(run, 60)
    night = await data(controller, "/api/reports/summary")
    period = night["period"]
    rows = {row["target"]["repoId"]: row for row in period["targets"]}
    cost = await data(controller, "/api/reports/cost?groupBy=target")
    assert Decimal(period["costUsd"]) == Decimal(cost["total"]["costUsd"]) > 0
    assert {name: Decimal(row["costUsd"]) for name, row in rows.items() if row["tokens"]} == {
        row["key"]: Decimal(row["costUsd"]) for row in cost["rows"]
    }
    own = place.agents_own.sessions.values()
    assert Decimal(period["costUsd"]) == sum(each.sum.cost_usd for each in own)
    assert (period["sessions"], period["failedSessions"]) == (3, 1)
    assert period["verifiedFeatures"] + period["unverifiedFeatures"] == 2
    assert (rows["good"]["finished"], rows["bad"]["finished"]) == (True, False)
    assert rows["bad"]["status"] == "blocked"
    assert rows["bad"]["statusReason"].startswith("auth: ")
    assert [row["errorType"] for row in period["errors"]] == ["auth"]
    assert night["running"] == []
