"""One target: its features with evidence, sessions, commits, errors, and why it stands where it does."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.integration.pages.conftest import part_of, text_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra


async def test_features_are_shown_with_status_and_evidence(client: httpx.AsyncClient) -> None:
    page = (await client.get("/targets/shop-api")).text
    features = text_of(part_of(page, "features"))
    assert "regressed Login" in features
    assert "passing Payments pay" in features
    assert "check passed on c2" in features
    assert "$ pytest -q" in features
    assert "#5" in features
    assert "Gone" not in features


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("?feature=passing", ["pay"]),
        ("?q=log", ["login"]),
        ("?feature=passing&q=log", []),
        ("", ["login", "mail", "pay"]),
    ],
)
async def test_features_are_chosen_by_the_address(
    client: httpx.AsyncClient, query: str, keys: list[str]
) -> None:
    features = part_of((await client.get(f"/targets/shop-api{query}")).text, "features")
    assert sorted(re.findall(r'<small class="mono">(\w+)</small>', features)) == keys


async def test_sessions_commits_errors_and_cost_are_its_own(client: httpx.AsyncClient) -> None:
    page = (await client.get("/targets/shop-api")).text
    sessions = text_of(part_of(page, "sessions"))
    assert "#6 2026-03-01 16:00 UTC failed" in sessions
    assert "overloaded" in sessions
    assert "\N{MINUS SIGN}1" in sessions
    assert "Test payments" in part_of(page, "commits")
    assert "&lt;i&gt;overloaded&lt;/i&gt;" in part_of(page, "errors")
    assert "connection reset" not in page
    assert "claude-opus-4-8" in part_of(page, "cost")
    assert "pytest -q" in part_of(page, "facts")


async def test_an_id_with_a_slash_has_a_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/targets/org/tool")
    assert answer.status_code == 200
    assert "&lt;b&gt;Tool&lt;/b&gt; &amp; Co" in answer.text
    assert "<b>Tool</b>" not in answer.text


async def test_a_target_without_anything_says_what_to_do(client: httpx.AsyncClient) -> None:
    page = text_of((await client.get("/targets/docs")).text)
    assert "paused: disabled" in page.lower()
    assert "No session yet. acd run --target docs" in page
    assert "No feature list yet" in page


async def test_an_unknown_target_is_a_page_with_a_way_on(client: httpx.AsyncClient) -> None:
    answer = await client.get("/targets/nobody")
    assert answer.status_code == 404
    assert "No target has the id" in text_of(answer.text)
    assert (await client.get("/targets/shop-api?feature=odd")).status_code == 422
