"""The oldest PostgreSQL that we promise: migrations, every query, and a server that is older still."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from acd.core.settings import Settings
from acd.database import maintenance
from acd.database.connection import open_database
from acd.database.queries import load_queries

pytestmark = pytest.mark.extra


@pytest.fixture
def settings15(settings: Settings, database15_url: str) -> Settings:
    return replace(settings, database_url=database15_url)


async def test_it_is_migrated_and_used(settings15: Settings) -> None:
    async with open_database(settings15, application="test") as database:
        found = await database.fetch_one("schema.server")
        assert found
        assert found["server_version"].startswith("15.")
        async with database.transaction() as transaction:
            await transaction.execute_sql("CREATE TEMP TABLE t (a int8) ON COMMIT DROP")
            assert await transaction.copy("t", ["a"], [(1,), (2,)], types=["int8"]) == 2


async def test_every_query_can_be_prepared(settings15: Settings, database15_url: str) -> None:
    async with open_database(settings15, application="test"):
        pass
    await asyncio.to_thread(prepare_all, database15_url)


def prepare_all(url: str) -> None:
    refused = []
    with psycopg.connect(url, autocommit=True) as connection:
        for query in load_queries().values():
            names = list(dict.fromkeys(re.findall(rb"%\((\w+)\)s", query.sql)))
            statement = query.sql
            for number, name in enumerate(names, 1):
                statement = statement.replace(b"%%(%s)s" % name, b"$%d" % number)
            result = connection.pgconn.prepare(b"", statement.replace(b"%%", b"%"))
            if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
                refused.append((query.name, result.error_message.decode()))
    assert refused == []


async def test_it_is_dumped_and_its_time_zone_changed(settings15: Settings, tmp_path: Path) -> None:
    await maintenance.bring_to_newest(settings15)
    await maintenance.set_timezone(settings15, "Europe/Berlin")
    file = tmp_path / "all.dump"
    await maintenance.dump(settings15, file)
    await maintenance.restore(settings15, file)
    found = await maintenance.status(settings15)
    assert found.timezone == "Europe/Berlin"
