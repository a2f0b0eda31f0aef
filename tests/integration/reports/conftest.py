"""A database with known rows (`seed.sql`), and a client of the API over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app

BASE = "http://127.0.0.1:3434"


@pytest.fixture
async def seeded(database: Database) -> Database:
    seed = Path(__file__).with_name("seed.sql").read_bytes()
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        await connection.execute("SET TIME ZONE 'UTC'")
        await connection.execute(seed)
    return database


@pytest.fixture
async def client(seeded: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(seeded, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client
