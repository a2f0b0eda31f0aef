"""A database with known rows (`reports/seed.sql`), and a browser that reads pages without running their scripts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app
from tests.integration.serving import put_seed

BASE = "http://127.0.0.1:3434"


@pytest.fixture
async def client(database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    put_seed(database.url)
    transport = httpx.ASGITransport(create_app(database, settings))
    headers = {"Accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        yield client


def text_of(page: str) -> str:
    """What a person reads, on one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def part_of(page: str, name: str) -> str:
    """The part of a page with an id, up to the next part that is kept up to date."""
    found = re.search(rf'id="{name}" data-live.*?(?=data-live|</main>)', page, re.DOTALL)
    assert found, f"the page has no part {name}"
    return found[0]
