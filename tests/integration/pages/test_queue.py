"""The queue: where every target stands and why; orders for those who may give them."""

from __future__ import annotations

import json
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


async def test_every_target_stands_where_the_api_says(client: httpx.AsyncClient) -> None:
    told = json.loads((await client.get("/api/queue")).content)["data"]["targets"]
    shown = part_of((await client.get("/queue")).text, "targets")
    assert len(re.findall(r"<tr>\s*<td class=.state.><span", shown)) == len(told) == 3
    words = text_of(shown)
    for entry in told:
        if entry["state"] != "running":
            assert entry["reason"] in words
    assert "#7 with opus for" in words


async def test_orders_are_for_those_who_may_give_them(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    without = (await client.get("/queue")).text
    assert len(re.findall(r"<button[^>]* disabled>", part_of(without, "head"))) == 3
    assert "Read only in this browser" in without
    token = read_or_make_token(settings.home)
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
    offered = (await client.get("/queue", headers=headers)).text
    assert "disabled>" not in part_of(offered, "head")
    assert 'data-call="POST /api/queue/pause"' in offered
    assert "The session that runs is ended now" in offered
    await client.post("/api/queue/pause", headers=headers)
    paused = (await client.get("/queue", headers=headers)).text
    assert 'data-call="POST /api/queue/resume"' in paused
    assert 'data-call="POST /api/queue/pause"' not in paused


async def test_budgets_and_limits_are_shown_with_how_far_they_are_used(
    database: Database, settings: Settings, client: httpx.AsyncClient
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO account_limits (agent, limit_window, status, utilization, resets_at, seen_at)"
            " VALUES ('claude-code', 'five_hour', 'rejected', 1, now() + interval '1 hour', now())"
        )
    bounded = Settings(home=settings.home, total_budget_usd=0.5)
    transport = httpx.ASGITransport(create_app(database, bounded))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as own:
        page = (await own.get("/queue")).text
        overview = (await own.get("/")).text
    assert "budget of all targets in all: $0.28 of $0.5 (56 %)" in text_of(page)
    assert "budget of all targets in all: $0.28 of $0.5 (56 %)" in text_of(overview)
    assert "claude-code five hour holds work back 100%" in text_of(part_of(page, "limits"))
    assert "limit reached claude-code: five hour" in text_of(part_of(overview, "needs"))
