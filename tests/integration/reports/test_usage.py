"""Tokens and cost of any time by any key: whichever way they are summed, they are the ledger's."""

from __future__ import annotations

import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app

pytestmark = pytest.mark.extra

MARCH = "since=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z"
KEYS = [
    "day",
    "week",
    "month",
    "session",
    "target",
    "branch",
    "model",
    "agent",
    "feature",
    "commit",
]
ROLL_UPS = """
DELETE FROM session_usage; DELETE FROM model_usage;
INSERT INTO session_usage
SELECT target_id, session_id, model, requested_at::date, sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
       sum(cache_write_tokens), coalesce(sum(cost_usd), 0), count(*) FILTER (WHERE cost_usd IS NULL), count(*)
FROM token_usage_details GROUP BY 1, 2, 3, 4;
INSERT INTO model_usage
SELECT target_id, model, usage_date, sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
       sum(cache_write_tokens), sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens),
       sum(cost_usd), sum(request_count), count(*), sum(unpriced_requests)
FROM session_usage GROUP BY 1, 2, 3;
"""


@pytest.fixture
async def settled(seeded: Database) -> Database:
    """The known rows, with roll-ups of their own days."""
    with psycopg.connect(seeded.url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(ROLL_UPS)
    return seeded


@pytest.fixture
async def api(settled: Database, settings: Settings) -> Any:  # noqa: ANN401 - an iterator
    transport = httpx.ASGITransport(create_app(settled, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3434") as client:
        yield client


async def report(client: httpx.AsyncClient, query: str, name: str = "usage") -> dict[str, Any]:
    answer = await client.get(f"/api/reports/{name}?{query}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)["data"]
    return data


def by_key(told: dict[str, Any], figure: str) -> dict[str | None, Any]:
    return {row["key"]: row[figure] for row in told["rows"]}


async def test_sums_of_days_and_of_requests_agree_with_the_ledger(
    api: httpx.AsyncClient, settled: Database
) -> None:
    with psycopg.connect(settled.url) as connection:
        (row,) = connection.execute(
            "SELECT sum(cost_usd), sum(input_tokens), count(*), count(*) FILTER (WHERE cost_usd IS NULL) "
            "FROM token_usage_details"
        ).fetchall()
    for key in KEYS:
        year = f"groupBy={key}&since=2026-01-01&until=2026-12-01"
        days = await report(api, year)
        requests = await report(api, f"{year}&timezone=Etc/UTC")
        assert requests.pop("timezone") == "Etc/UTC"
        assert days.pop("timezone") == "UTC"
        assert days == requests
        total = days["total"]
        assert row == (
            Decimal(total["costUsd"]),
            total["inputTokens"],
            total["requests"],
            total["unpricedRequests"],
        )
        assert sum(Decimal(each["costUsd"]) for each in days["rows"]) == row[0]
        assert days["omitted"] == 0


async def test_rows_are_named_and_ordered(api: httpx.AsyncClient) -> None:
    sessions = await report(api, f"groupBy=session&{MARCH}")
    assert [row["name"] for row in sessions["rows"][:2]] == ["shop-api #7", "shop-api #6"]
    assert sessions["rows"][0]["models"] == ["claude-opus-4-8", "mystery-1"]
    few = await report(api, f"groupBy=session&{MARCH}&limit=2")
    assert few["rows"] == sessions["rows"][:2]
    assert (few["omitted"], few["total"]) == (5, sessions["total"])
    months = await report(api, "groupBy=month&since=2026-01-01&until=2027-01-01")
    assert [row["key"] for row in months["rows"]] == ["2026-03-01", "2026-02-01"]


async def test_a_zone_moves_the_days(api: httpx.AsyncClient) -> None:
    """Session 4 asked at 14:01 UTC, session 5 at 15:01, which is the second of March in Tokyo."""
    told = await report(api, "groupBy=day&since=2026-03-01&until=2026-03-03&timezone=Asia/Tokyo")
    assert by_key(told, "requests") == {"2026-03-02": 4, "2026-03-01": 4}
    assert (told["since"], told["timezone"]) == ("2026-03-01T00:00:00+09:00", "Asia/Tokyo")


async def test_part_of_a_day_is_a_part(api: httpx.AsyncClient) -> None:
    told = await report(api, "groupBy=model&since=2026-03-01T15:00:00Z&until=2026-03-01T17:00:00Z")
    assert by_key(told, "costUsd") == {"claude-opus-4-8": Decimal("0.11000011")}


async def test_a_request_belongs_to_the_next_commit_of_its_session(
    api: httpx.AsyncClient, settled: Database
) -> None:
    with psycopg.connect(settled.url) as connection:
        connection.execute(
            "INSERT INTO token_usage_details (target_id, request_key, session_id, model, input_tokens, output_tokens, "
            "cache_read_tokens, cache_write_tokens, cost_usd, requested_at) "
            "SELECT target_id, 'k' || n, id, 'claude-opus-4-8', 1, 0, 0, 0, n, "
            "timestamptz '2026-03-01 15:00:00.7Z' + n * interval '1 minute' "
            "FROM harness_sessions, generate_series(2, 4) AS n WHERE session_number = 5"
        )
    told = await report(api, f"groupBy=commit&{MARCH}")
    costs = by_key(told, "costUsd")
    assert (costs["c1"], costs["c2"]) == (Decimal("2.05000005"), 3)
    assert costs[None] == 4 + Decimal("0.01000001") * (1 + 2 + 3 + 4 + 6 + 7)
    assert by_key(told, "name")["c1"] == "Add payments"


async def test_features_share_their_session(api: httpx.AsyncClient, settled: Database) -> None:
    with psycopg.connect(settled.url) as connection:
        connection.execute(
            "UPDATE target_features SET session_id = '50000000-0000-0000-0000-000000000005' WHERE feature_key = 'login'"
        )
    told = await report(api, f"groupBy=feature&{MARCH}")
    assert by_key(told, "costUsd") == {
        None: Decimal("0.01000001") * (1 + 2 + 3 + 4 + 6 + 7),
        "shop-api/login": Decimal("0.025000025"),
        "shop-api/pay": Decimal("0.025000025"),
    }
    assert told["total"]["requests"] == 8


async def test_one_agent_and_one_target(api: httpx.AsyncClient) -> None:
    for zone in ("UTC", "Etc/UTC"):
        told = await report(
            api,
            f"groupBy=model&since=2026-01-01&until=2026-12-01&agent=claude-code&timezone={zone}",
        )
        assert by_key(told, "totalTokens") == {"claude-sonnet-4-6": 12}
        told = await report(
            api, f"groupBy=agent&since=2026-01-01&until=2026-12-01&repoId=shop-api&timezone={zone}"
        )
        assert list(by_key(told, "costUsd")) == ["scripted"]


async def test_blocks(api: httpx.AsyncClient) -> None:
    """Sessions ask at 11:01, 12:01, … 17:01 (twice) on the first of March."""
    told = await report(api, MARCH, "blocks")
    assert [(row["key"], row["requests"]) for row in told["rows"]] == [
        ("2026-03-01T16:00:00Z", 3),
        ("2026-03-01T11:00:00Z", 5),
    ]
    assert told["total"]["unpricedRequests"] == 1
    assert told["rows"][0]["active"] is False


async def test_a_bad_value_is_named(client: httpx.AsyncClient) -> None:
    for query, field in (
        ("usage?timezone=Nowhere", "timezone"),
        ("usage?timezone=../../etc/passwd", "timezone"),
        ("usage?groupBy=block", "groupBy"),
        ("usage?since=yesterday", "since"),
        ("usage?days=0", "days"),
        ("usage?limit=100000", "limit"),
        ("blocks?until=1", "until"),
    ):
        answer = await client.get(f"/api/reports/{query}")
        assert answer.status_code == 422, query
        assert answer.json()["error"]["field"] == field


async def test_without_anything_it_is_a_report_of_thirty_days(client: httpx.AsyncClient) -> None:
    told = await report(client, "")
    assert (told["groupBy"], told["until"]) == ("day", None)
    whole = await report(client, "days=3660&groupBy=agent")
    assert whole["total"]["requests"] == 9


async def test_what_came_of_what_was_spent(api: httpx.AsyncClient, settled: Database) -> None:
    """Session 5 made the one feature that passes; three quarters of it went into claims that were rejected."""
    with psycopg.connect(settled.url) as connection:
        connection.execute(
            "INSERT INTO feature_changes (target_id, source, source_offset, feature_key, session_id, change, status, changed_at) "
            "SELECT target_id, 'journal', 30 + n, 'k' || n, '50000000-0000-0000-0000-000000000005', 'rejected', 'rejected', changed_at "
            "FROM feature_changes, generate_series(1, 3) AS n WHERE source_offset = 10"
        )
    told = await report(api, MARCH, "costs")
    (shop,) = told["targets"]
    assert told["total"] | {"target": shop["target"]} == shop
    one = Decimal("0.01000001")
    assert (shop["sessions"], shop["costUsd"]) == (7, 28 * one)
    assert (shop["features"], shop["verifiedFeatures"], shop["commits"]) == (1, 1, 2)
    assert shop["costPerVerifiedFeature"] == 28 * one
    assert shop["errors"] == [{"errorType": "overloaded", "sessions": 1, "costUsd": 6 * one}]
    assert (shop["rejectedClaims"], shop["rejectedCostUsd"]) == (3, 5 * one * 3 / 4)
    assert shop["wastedCostUsd"] == 6 * one + 5 * one * 3 / 4
    assert shop["forecast"]["remainingFeatures"] == 2
    # Coding sessions that ended are 2 to 6.
    assert shop["forecast"]["sessions"] == 5
    assert shop["forecast"]["costUsd"] == round(2 * 20 * one, 6)
    nothing = await report(api, "since=2020-01-01&until=2020-01-02", "costs")
    assert (nothing["targets"], nothing["total"]["models"]) == ([], [])


async def test_what_a_line_cost_that_survived(
    api: httpx.AsyncClient, settled: Database, tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@x"}
    who |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@x"}

    def git(*words: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **who}
        done = subprocess.run(
            ["git", "-C", str(shop), *words], env=environment, check=True, capture_output=True
        )
        return done.stdout.decode().strip()

    git("init", "-q")
    written = {}
    for number, text in ((5, "a\nb\nc\n"), (6, "a\nB\nc\nd\n"), (0, "a\nB\nc\nd\nperson\n")):
        (shop / "f").write_text(text)
        git("add", "-A")
        git("commit", "-q", "-m", "m")
        written[number] = git("rev-parse", "HEAD")
    nowhere = await report(api, f"{MARCH}&repoId=shop-api", "lines")
    assert nowhere["head"] is None
    assert "not on this machine" in nowhere["reason"]
    with psycopg.connect(settled.url) as connection:
        connection.execute("UPDATE targets SET path = %s WHERE repo_id = 'shop-api'", [str(shop)])
        for number in (5, 6):
            connection.execute(
                "INSERT INTO harness_commits (target_id, sha, session_id, message, author, files_changed, additions, deletions, committed_at) "
                "SELECT target_id, %s, %s, message, author, 1, 1, 1, committed_at FROM harness_commits WHERE sha = 'c1'",
                [written[number], f"50000000-0000-0000-0000-00000000000{number}"],
            )
    told = await report(api, f"{MARCH}&repoId=shop-api", "lines")
    assert (told["head"], told["reason"], told["headLines"], told["lines"]) == (
        written[0],
        None,
        5,
        4,
    )
    one = Decimal("0.01000001")
    assert (told["costUsd"], told["costPerLine"]) == (28 * one, 7 * one)
    lines = {row["sessionNumber"]: row["lines"] for row in told["sessions"] if row["lines"]}
    assert lines == {5: 2, 6: 2}
    assert (await api.get("/api/reports/lines")).status_code == 422
    assert (await api.get("/api/reports/lines?repoId=nobody")).status_code == 404
