"""Cost and Models without scripts: figures of the reports, filters in the address, and the way on when there is nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import psycopg
import pytest

from acd.database.connection import Database
from tests.integration.api.test_spending import MORE, SPRING
from tests.integration.pages.conftest import text_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra


def figures_in(page: str) -> list[dict[str, Any]]:
    return [
        json.loads(found)
        for found in re.findall(r'<script type="application/json">(.*?)</script>', page)
    ]


async def test_the_week_and_the_range_are_told_before_all_else(client: httpx.AsyncClient) -> None:
    answer = await client.get("/cost")
    assert answer.status_code == 200
    text = text_of(answer.text)
    assert "Costliest target of the last 7 days $0.2800 + unpriced Shop API" in text
    assert "Cost in this range $0.2800 + unpriced 9 requests, 1 without a known price" in text
    assert 'title="0.28000040 USD"' in answer.text
    assert "claude-opus-4-8 $0.2800 100%" in text
    assert "<b>Tool</b> & Co $0.0000001 0%" in text


async def test_each_chart_has_its_data_beside_it(client: httpx.AsyncClient) -> None:
    page = (await client.get("/cost?by=target")).text
    figures = figures_in(page)
    assert [figure["data"][0]["type"] for figure in figures] == [
        "bar",
        "treemap",
        "bar",
        "scatter",
        "heatmap",
    ]
    assert [trace["name"] for trace in figures[0]["data"]] == [
        "Shop API",
        "&lt;b&gt;Tool&lt;/b&gt; &amp; Co",
    ]
    assert figures[1]["data"][0]["values"] == [0.28000028, 1.2e-07]
    assert "<b>Tool</b>" not in page


async def test_the_address_says_what_is_shown(client: httpx.AsyncClient) -> None:
    tool = text_of((await client.get("/cost?target=org/tool&days=90")).text)
    assert "Cost in this range $0.0000001 1 requests" in tool
    spring = (await client.get(f"/cost?{SPRING}")).text
    assert 'name="from" value="2026-02-01"' in spring
    assert "Nothing was spent in these days" in text_of(spring)  # the sums are of days near today
    week = (await client.get("/cost?days=7")).text
    assert '<button name="days" value="7" aria-pressed="true">' in week


async def test_steps_grow_with_the_range(client: httpx.AsyncClient) -> None:
    for days, step in ((90, "day"), (365, "week"), (3660, "month")):
        assert f"By {step} and model" in (await client.get(f"/cost?days={days}")).text


@pytest.mark.parametrize("query", ["from=yesterday", "days=0", "by=agent", "target=%00"])
async def test_an_address_that_does_not_fit_says_so(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/cost?{query}")
    assert answer.status_code == 422
    assert "This address does not fit" in answer.text


async def test_fields_left_empty_are_not_asked_for(client: httpx.AsyncClient) -> None:
    assert (await client.get("/cost?from=&to=&target=&by=model")).status_code == 200


async def test_models_on_the_same_targets(client: httpx.AsyncClient, database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(MORE)
    text = text_of((await client.get(f"/models?{SPRING}")).text)
    assert "On the 1 target that each of these models worked Shop API" in text
    assert (
        "sonnet 8 1 100% 68% to 100% 2.00 2.00 to 2.00 $0.2500 $0.2500 to $0.2500 4 min 30 s 1 min 00 s to 8 min 00 s"
        in text
    )
    assert "opus 5 1 80% 38% to 96%" in text
    assert "\N{EN DASH} 5 min 00 s too few for an interval" in text
    everywhere = text_of((await client.get(f"/models?{SPRING}&all=true")).text)
    assert "On all targets that any of them worked" in everywhere
    assert "sonnet 16 2 50%" in everywhere
    alone = (await client.get(f"/models?{SPRING}&model=opus")).text
    assert 'name="model" value="opus" checked' in alone
    assert 'name="model" value="sonnet">' in alone


async def test_many_models_are_compared_at_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(MORE.replace("(1, 8)", "(1, 12)"))
        connection.execute(
            "UPDATE harness_sessions SET model = 'model-' || (random() * 1e9)::integer WHERE session_number > 7"
        )
    page = (await client.get(f"/models?{SPRING}&all=true")).text
    names = re.findall(r'name="model" value="([^"]+)"', page)
    assert len(names) > 20
    assert f"All of {len(names)} models" in text_of(page)
    asked = "&".join(f"model={name}" for name in names)
    assert f"{len(names)} of {len(names)} models" in text_of(
        (await client.get(f"/models?{SPRING}&all=true&{asked}")).raise_for_status().text
    )


async def test_models_that_share_no_target_are_shown_apart(
    client: httpx.AsyncClient, database: Database
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(MORE)
        connection.execute(
            "DELETE FROM harness_sessions WHERE model = 'sonnet' AND target_id = 'a0000000-0000-0000-0000-000000000001'"
        )
    text = text_of((await client.get(f"/models?{SPRING}")).text)
    assert "No target was worked by each of these models" in text
    assert "opus 5 1" in text
    assert "sonnet 8 1 0%" in text


async def test_nothing_to_compare_says_what_to_do_next(client: httpx.AsyncClient) -> None:
    assert "No coding session has ended in these days" in (await client.get("/models?days=1")).text


async def test_the_script_is_kept_by_its_version_and_comes_compressed(
    client: httpx.AsyncClient,
) -> None:
    found = re.search(r'src="(/charts/\w+/plotly\.js)"', (await client.get("/cost")).text)
    assert found
    packed = await client.get(found[1])
    assert packed.headers["content-encoding"] == "gzip"
    assert "immutable" in packed.headers["cache-control"]
    assert packed.text.startswith("/**\n* plotly.js v")
    plain = await client.get("/charts/other/plotly.js", headers={"Accept-Encoding": "identity"})
    assert plain.text == packed.text
    assert plain.headers["cache-control"] == "no-store"


async def test_only_pages_with_a_chart_load_the_script(client: httpx.AsyncClient) -> None:
    assert "plotly.js" not in (await client.get("/")).text
    assert "plotly.js" in (await client.get("/models")).text
