"""What all pages have in common: navigation, parts out of the package, text of others as text, problems in words."""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi import FastAPI

from acd.core.settings import Settings
from acd.dashboard.site import PAGES
from acd.database.connection import Database
from acd.server import create_app
from tests.integration.pages.conftest import BASE, text_of

PATHS = [page.ENTRY.path for page in PAGES]


@pytest.mark.parametrize("path", PATHS)
async def test_the_navigation_names_every_page_and_where_one_is(
    client: httpx.AsyncClient, path: str
) -> None:
    page = (await client.get(path)).text
    for entry in (each.ENTRY for each in PAGES):
        assert f'href="{entry.path}" data-key="{entry.key}"' in page
    assert re.findall(r'href="([^"]+)"[^>]*aria-current="page"', page) == [path]


def test_every_page_has_a_key_of_its_own() -> None:
    keys = [page.ENTRY.key for page in PAGES]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("path", PATHS)
async def test_everything_that_a_page_links_to_is_there(
    client: httpx.AsyncClient, path: str
) -> None:
    links = set(re.findall(r'(?:href|src)="(/[^"]*)"', (await client.get(path)).text))
    assert len(links) > 5
    for link in links:
        answer = await client.get(link.replace("&amp;", "&"), follow_redirects=True)
        assert answer.status_code == 200, link


@pytest.mark.parametrize("path", PATHS)
async def test_no_script_or_style_stands_in_a_page(client: httpx.AsyncClient, path: str) -> None:
    page = (await client.get(path)).text
    scripts = re.findall(r"<script[^>]*>[^<]*</script>", page)
    assert scripts
    running = [one for one in scripts if 'type="application/json"' not in one]
    assert all(re.search(r'src="/(static|charts)/\w+/[\w.]+"></script>$', one) for one in running)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)


@pytest.mark.parametrize("path", PATHS)
async def test_what_agents_and_queue_files_write_is_escaped(
    client: httpx.AsyncClient, path: str
) -> None:
    page = (await client.get(path)).text
    assert "<b>Tool</b>" not in page
    assert "<i>overloaded</i>" not in page


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/static/acd.css", "text/css"),
        ("/static/acd.svg", "image/svg+xml"),
        ("/static/acd.js", "text/javascript"),
    ],
)
async def test_parts_come_from_the_package_and_may_be_kept_by_their_version(
    client: httpx.AsyncClient, path: str, kind: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["cache-control"] == "no-store"
    found = re.search(r'href="(/static/\w+)/acd\.css"', (await client.get("/")).text)
    assert found
    versioned = await client.get(path.replace("/static", found[1]))
    assert versioned.content == answer.content
    assert "immutable" in versioned.headers["cache-control"]
    assert (await client.get(path.replace("/static", "/static/other"))).status_code == 404


async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/health", "/api/nothing", "/nothing", "/static/acd.css"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


async def test_a_browser_that_asks_for_nothing_gets_a_page_with_a_way_on(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/nothing/here")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is nothing here" in text_of(answer.text)
    assert 'href="/"' in answer.text


async def test_programs_and_routes_of_the_api_get_json_for_it(client: httpx.AsyncClient) -> None:
    for path, accept in (("/nothing", "*/*"), ("/api/nothing", "text/html")):
        answer = await client.get(path, headers={"Accept": accept})
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"


async def test_a_page_without_a_database_says_so_and_tries_again(
    settings: Settings,
) -> None:
    away = Database("postgresql://acd@127.0.0.1:1/acd", application="test", expected=None)
    app = create_app(away, settings)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        for path in PATHS:
            answer = await client.get(path)
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "5"
            assert "cannot be reached" in answer.text
            assert '<meta http-equiv="refresh" content="5">' in answer.text
    await away.close()


async def test_a_mistake_of_our_own_shows_nothing_of_the_inside(
    database: Database, settings: Settings
) -> None:
    app: FastAPI = create_app(database, settings)

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("secret detail")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        answer = await client.get("/broken", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "acd doctor" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
