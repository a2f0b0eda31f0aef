"""The summary of a time that is over: the same figures as the other reports, and what is stuck."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import psycopg

from acd.database.connection import Database


async def data(client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401 - JSON
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)["data"]


async def test_a_day_is_the_ledger_of_that_day(client: httpx.AsyncClient, seeded: Database) -> None:
    found = (await data(client, "/api/reports/summary?since=2026-03-01&until=2026-03-02"))["period"]
    with psycopg.connect(seeded.url) as connection:
        (row,) = connection.execute(
            "SELECT sum(cost_usd), sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), "
            "count(*) FILTER (WHERE cost_usd IS NULL) FROM token_usage_details "
            "WHERE requested_at >= '2026-03-01Z' AND requested_at < '2026-03-02Z'"
        ).fetchall()
    assert (Decimal(found["costUsd"]), found["tokens"], found["unpricedRequests"]) == row
    done = await data(client, "/api/reports/throughput?from=2026-03-01&to=2026-03-01")
    assert found["sessions"] == done["total"]["sessions"] > 0


async def test_a_part_of_a_day_is_a_part(client: httpx.AsyncClient) -> None:
    morning, rest, day = [
        (await data(client, f"/api/reports/summary?since={since}&until={until}"))["period"]
        for since, until in (
            ("2026-03-01T00:00:00Z", "2026-03-01T15:00:00Z"),
            ("2026-03-01T15:00:00Z", "2026-03-02T00:00:00Z"),
            ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
        )
    ]
    for name in (
        "sessions",
        "failedSessions",
        "tokens",
        "commits",
        "unverifiedFeatures",
        "verifiedFeatures",
    ):
        assert morning[name] + rest[name] == day[name], name
    assert 0 < morning["sessions"] < day["sessions"]
    assert day["verifiedFeatures"] == 1
    errors = {row["errorType"]: row["errors"] for row in day["errors"]}
    found = await data(client, "/api/reports/error-rate?from=2026-03-01&to=2026-03-01")
    assert errors == found["total"]["byType"]


async def test_what_is_blocked_is_there_though_nothing_was_done(
    client: httpx.AsyncClient, seeded: Database
) -> None:
    with psycopg.connect(seeded.url) as connection:
        connection.execute(
            "UPDATE targets SET status = 'blocked', status_reason = 'auth: no' WHERE repo_id = 'docs'"
        )
        connection.execute("UPDATE targets SET enabled = true WHERE repo_id = 'docs'")
    found = await data(client, "/api/reports/summary?since=2020-01-01&until=2020-01-02")
    assert [
        (row["target"]["repoId"], row["statusReason"]) for row in found["period"]["targets"]
    ] == [("docs", "auth: no")]
    assert found["period"]["sessions"] == 0
    assert len(found["running"]) == 1


async def test_without_times_it_is_since_yesterday(client: httpx.AsyncClient) -> None:
    found = (await data(client, "/api/reports/summary"))["period"]
    assert found["since"].endswith("T00:00:00+00:00")
    assert found["targets"] == []
    assert (await client.get("/api/reports/summary?since=soon")).status_code == 422


async def test_claims_that_were_rejected_are_counted_when_they_were(
    client: httpx.AsyncClient, seeded: Database
) -> None:
    with psycopg.connect(seeded.url) as connection:
        connection.execute(
            "INSERT INTO feature_changes (target_id, source, source_offset, feature_key, session_id, change, status, changed_at) "
            "SELECT target_id, 'journal', n, 'mail', session_id, 'rejected', 'rejected', timestamptz '2026-03-01 15:05Z' + n * interval '1 day' "
            "FROM feature_changes, generate_series(30, 31) AS n WHERE source_offset = 10"
        )
    first = (await data(client, "/api/reports/summary?since=2026-03-31&until=2026-04-01"))["period"]
    assert first["rejectedClaims"] == 1
    assert [(row["target"]["repoId"], row["rejectedClaims"]) for row in first["targets"]] == [
        ("shop-api", 1)
    ]
    both = (await data(client, "/api/reports/summary?since=2026-03-01&until=2026-05-01"))["period"]
    assert (both["rejectedClaims"], both["verifiedFeatures"]) == (2, 1)
