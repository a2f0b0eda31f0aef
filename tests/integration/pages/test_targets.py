"""All targets: search, filter and order come from the address; figures are those of the reports."""

from __future__ import annotations

import re

import httpx
import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app
from acd.web.token import read_or_make_token
from tests.integration.pages.conftest import BASE, part_of, text_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra


def names(page: str) -> list[str]:
    return re.findall(r'<a href="/targets/([^"]+)"', part_of(page, "targets"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["docs", "shop-api", "org/tool"]),
        ("?q=SHOP", ["shop-api"]),
        ("?q=/repos/tool", ["org/tool"]),
        ("?state=complete", ["org/tool"]),
        ("?state=paused", ["docs"]),
        ("?state=running", ["shop-api"]),
        ("?sort=name&order=desc", ["shop-api", "docs", "org/tool"]),
        ("?sort=cost&order=desc", ["shop-api", "org/tool", "docs"]),
        ("?sort=features&order=asc", ["docs", "shop-api", "org/tool"]),
        ("?sort=last&order=desc", ["shop-api", "org/tool", "docs"]),
    ],
)
async def test_the_address_says_which_and_in_what_order(
    client: httpx.AsyncClient, query: str, expected: list[str]
) -> None:
    assert names((await client.get(f"/targets{query}")).text) == expected


async def test_a_row_shows_progress_cost_state_and_last_session(client: httpx.AsyncClient) -> None:
    row = text_of(part_of((await client.get("/targets?q=shop")).text, "targets"))
    assert "Shop API payments" in row
    assert "1 / 3" in row
    assert "$0.2800" in row
    assert "#7 running" in row


async def test_nothing_that_fits_says_how_to_see_all(client: httpx.AsyncClient) -> None:
    page = text_of((await client.get("/targets?q=nowhere")).text)
    assert "No target fits. Show all 3" in page


@pytest.mark.parametrize("query", ["?state=odd", "?sort=colour", "?order=up", f"?q={'x' * 201}"])
async def test_an_address_that_does_not_fit_is_told_so(
    client: httpx.AsyncClient, query: str
) -> None:
    answer = await client.get(f"/targets{query}")
    assert answer.status_code == 422
    assert "The same page without filters" in answer.text
    assert query[1:].split("=")[0] in answer.text


async def test_only_who_may_change_something_is_offered_it(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    without = (await client.get("/targets")).text
    assert "data-call" not in part_of(without, "targets")
    assert "acd login" in without
    token = read_or_make_token(settings.home)
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
    offered = part_of((await client.get("/targets", headers=headers)).text, "targets")
    assert 'data-call="PUT /api/targets/update-priority"' in offered
    assert 'data-body="{&#34;repoId&#34;: &#34;org/tool&#34;}"' in offered
    assert 'aria-checked="false" aria-label="Docs is worked"' in offered


async def test_an_empty_queue_says_what_to_do_next(database: Database, settings: Settings) -> None:
    transport = httpx.ASGITransport(create_app(database, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        assert "repo-queue.json" in (await client.get("/targets")).text
        assert "repo-queue.json" in (await client.get("/queue")).text


async def test_a_long_queue_comes_in_part_until_all_is_asked_for(
    client: httpx.AsyncClient, database: Database
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO targets (id, repo_id, name, path, priority)"
            " SELECT gen_random_uuid(), 'many-' || n, 'Many', '/repos/many', 1000 + n FROM generate_series(1, 120) AS n"
        )
    page = (await client.get("/targets?q=many&sort=priority&order=desc")).text
    assert len(names(page)) == 50
    found = re.search(r'href="([^"]+)">Show all 120<', page)
    assert found
    everything = (await client.get(found[1].replace("&amp;", "&"))).text
    assert len(names(everything)) == 120
    assert names(everything)[:50] == names(page)
    assert "Show all" not in everything
