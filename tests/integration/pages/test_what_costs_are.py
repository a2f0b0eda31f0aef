"""Costs that nobody can price are not shown as nothing, and those of subscriptions are said to be at list price."""

from __future__ import annotations

import asyncio

import httpx
import psycopg
import pytest

from acd.database.connection import Database
from tests.integration.pages.conftest import part_of, text_of

pytestmark = pytest.mark.extra

_NO_PRICES = """
UPDATE model_usage SET cost_usd = 0, unpriced_requests = request_count;
UPDATE progress_snapshots SET cost_today = 0, unpriced_today = 3 WHERE cost_today > 0;
UPDATE harness_sessions SET cost_usd = 0, unpriced_requests = request_count;
"""
_TARGET = "/targets/shop-api"
_PAGES = ("/", "/targets", _TARGET, "/sessions", "/cost", "/models", "/queue")


def change(database: Database, sql: str) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(sql)


async def comes_to_say(client: httpx.AsyncClient, path: str, words: str) -> str:
    """What a person reads on a page once it says something: pages may be a second old."""
    async with asyncio.timeout(60):
        while words not in (text := text_of(await read(client, path))):
            await asyncio.sleep(0.1)
    return text


async def read(client: httpx.AsyncClient, path: str) -> str:
    return (await client.get(path)).raise_for_status().text


async def test_what_has_no_price_is_not_free(client: httpx.AsyncClient, database: Database) -> None:
    change(database, _NO_PRICES)
    overview = await read(client, "/")
    assert "yesterday unpriced 7-day mean unpriced" in text_of(part_of(overview, "days"))
    assert "unpriced" in text_of(part_of(overview, "costliest"))
    assert "Cost in all unpriced Tokens in all" in text_of(
        part_of(await read(client, _TARGET), "facts")
    )
    targets = await read(client, "/targets?q=shop")
    assert "$0" not in text_of(part_of(targets, "targets"))
    cost = text_of(await read(client, "/cost"))
    assert "Cost in this range unpriced" in cost
    assert "Costliest target of the last 7 days \N{EN DASH} nothing was spent" not in cost
    listed = (await client.get("/api/db/targets?q=shop")).json()["data"]
    assert listed[0]["unpricedRequests"] > 0


async def test_a_sum_that_leaves_something_out_says_so(client: httpx.AsyncClient) -> None:
    costs = text_of(part_of(await read(client, _TARGET), "facts"))
    assert "Cost in all $0.2800 + unpriced" in costs
    assert "$0.2800 + unpriced" in text_of(part_of(await read(client, "/targets"), "targets"))


@pytest.mark.parametrize("path", _PAGES)
async def test_pages_with_costs_say_that_they_are_at_list_price(
    client: httpx.AsyncClient, database: Database, path: str
) -> None:
    assert "at list price" not in text_of(await read(client, path))
    change(
        database, "UPDATE harness_sessions SET billing = 'subscription' WHERE session_number = 1"
    )
    await comes_to_say(client, path, " partly at list price ")
    change(database, "UPDATE harness_sessions SET billing = 'subscription'")
    said = " at list price All of it is at list price: of sessions under a subscription"
    assert " partly " not in await comes_to_say(client, path, said)


async def test_a_session_among_others_and_its_page_say_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    change(
        database, "UPDATE harness_sessions SET billing = 'subscription' WHERE session_number = 2"
    )
    for page in (await read(client, "/sessions"), await read(client, _TARGET)):
        assert page.count('class="listed"') == page.count("list price</small>") > 0
    rows = (await client.get("/api/db/sessions?repoId=shop-api")).json()["data"]
    for number, said in ((2, True), (3, False)):
        (session_id,) = [row["id"] for row in rows if row["sessionNumber"] == number]
        assert (
            "All of it is at list price" in await read(client, f"/sessions/{session_id}")
        ) == said


async def test_only_what_was_chosen_counts(client: httpx.AsyncClient, database: Database) -> None:
    change(
        database,
        "UPDATE harness_sessions h SET billing = 'subscription' FROM targets t"
        " WHERE t.id = h.target_id AND t.repo_id = 'org/tool'",
    )
    assert "at list price" not in text_of(await read(client, _TARGET))
    assert "at list price" not in text_of(await read(client, "/sessions?target=shop-api"))
    assert " at list price All of it" in text_of(await read(client, "/targets/org/tool"))
