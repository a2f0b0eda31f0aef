"""The file of the status line says what the reports say."""

from __future__ import annotations

import asyncio
import json
import stat
from datetime import UTC, datetime

import psycopg
import pytest

from acd.cli.statusline import line_of
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.status_file import NAME, kept_status_file, write_status_file

pytestmark = pytest.mark.extra


async def test_what_is_written(seeded: Database, settings: Settings) -> None:
    settings.home.mkdir()
    with psycopg.connect(seeded.url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(
            "UPDATE model_usage SET usage_date = current_date WHERE model = 'claude-opus-4-8'"
        )
        connection.execute(
            "UPDATE token_usage_details SET requested_at = now() WHERE request_key = 'scripted:m7'"
        )
    await write_status_file(seeded, settings)
    path = settings.home / NAME
    kept = json.loads(path.read_text())
    now = datetime.now(UTC).timestamp()
    assert kept["todayUsd"] == "0.28000028"
    assert kept["blockUsd"] == "0.07000007"
    assert now < kept["blockEnds"] <= now + 5 * 3600
    assert now < kept["dayEnds"] <= now + 24 * 3600
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    line = line_of({"cwd": "/repos/shop-api/src"}, kept, now)
    assert "$0.28 today" in line
    assert line.endswith("shop-api 1/3")
    assert list(settings.home.iterdir()) == [path]


async def test_it_is_kept_and_survives_an_outage(seeded: Database, settings: Settings) -> None:
    settings.home.mkdir()
    path = settings.home / NAME
    async with kept_status_file(seeded, settings):
        async with asyncio.timeout(30):
            while not path.exists():
                await asyncio.sleep(0.05)
    before = path.read_bytes()
    await seeded.close()
    async with kept_status_file(seeded, settings):
        await asyncio.sleep(0.2)
    assert path.read_bytes() == before
