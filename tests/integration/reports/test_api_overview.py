"""The overview page: figures of the reports, text of agents as text, and the way on when there is nothing."""

from __future__ import annotations

import re

import httpx
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app


async def test_the_page_shows_what_the_reports_say(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 200
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))
    assert "3 / 5" in page
    assert "1 session running" in page
    assert "31.2k" in page
    assert "$0.2800" in page
    assert "1 request without a known price" in page
    assert "#6 coding" in page
    assert "overloaded" in page
    assert "2 / 2 2 unverified" in page
    assert "1 / 3 1 unverified" not in page
    assert "mystery-1 1 7 unknown" in page
    assert '0.28000040 USD"' in answer.text


async def test_what_agents_and_queue_files_write_is_escaped(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    assert "<b>Tool</b>" not in page
    assert "&lt;b&gt;Tool&lt;/b&gt; &amp; Co" in page
    assert "<i>overloaded</i>" not in page
    assert "<script" not in page


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


@pytest.mark.parametrize(
    ("path", "kind"), [("/static/acd.css", "text/css"), ("/static/acd.svg", "image/svg+xml")]
)
async def test_the_pages_parts_come_from_the_package(
    client: httpx.AsyncClient, path: str, kind: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)


async def test_everything_that_the_page_links_to_is_there(client: httpx.AsyncClient) -> None:
    links = set(re.findall(r'(?:href|src)="(/[^"]*)"', (await client.get("/")).text))
    assert len(links) > 10
    for link in links:
        assert (await client.get(link.replace("&amp;", "&"))).status_code == 200, link


async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/health", "/api/nothing", "/static/acd.css"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.replace("style-src 'self' 'unsafe-inline'", "")
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
