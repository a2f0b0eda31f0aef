"""The overview: figures of the reports, and the way on when there is nothing."""

from __future__ import annotations

import httpx

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app
from tests.integration.pages.conftest import part_of, text_of


async def test_the_head_shows_what_the_summary_says(client: httpx.AsyncClient) -> None:
    head = text_of(part_of((await client.get("/")).text, "head"))
    assert "1 session running" in head
    assert "3 / 5 features passing 2 unverified" in head
    assert "1 / 3 targets complete" in head


async def test_what_runs_is_shown_with_what_it_used(client: httpx.AsyncClient) -> None:
    running = part_of((await client.get("/")).text, "running")
    assert "Shop API" in running
    assert "#7" in running
    assert "Bash" in running
    assert 'datetime="2026-03-01T17:00:00+00:00" data-as="elapsed"' in running
    assert 'title="0.07000007 USD"' in running
    assert "and 1 request without a known price" in running


async def test_days_are_those_of_the_reports(client: httpx.AsyncClient) -> None:
    """The seed's spending was yesterday."""
    days = text_of(part_of((await client.get("/")).text, "days"))
    assert "Cost today $0 yesterday $0.2800 + unpriced 7-day mean $0.0400 + unpriced" in days
    assert "Tokens today 0 yesterday 31.2k 7-day mean 4.5k" in days


async def test_what_needs_a_look_says_why(client: httpx.AsyncClient) -> None:
    needs = text_of(part_of((await client.get("/")).text, "needs"))
    assert "2 open errors" in needs
    assert "1 request without a known price" in needs
    assert "3 lines of agents could not be read" in needs


async def test_money_is_exact_on_hover(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    costliest = part_of(page, "costliest")
    assert 'title="0.28000040 USD"' not in costliest  # of this week, running session included
    assert "Shop API" in costliest
    assert "mystery-1 1 7 unpriced" in text_of(part_of(page, "cost"))


async def test_an_empty_database_says_what_to_do_next(
    database: Database, settings: Settings
) -> None:
    transport = httpx.ASGITransport(create_app(database, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert "repo-queue.json" in answer.text
    assert "acd run" in answer.text
    assert "acd demo" in answer.text
