"""Migrations: whole or not at all, one at a time, and never against a schema that we do not know."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from msgspec.structs import replace

from acd.core.errors import DatabaseAway, DatabaseRefused
from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.database.schema import State, bring_up_to_date, known_revisions, upgrade

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

NEWEST = known_revisions()[-1]


@pytest.fixture
def empty_settings(settings: Settings, empty_database_url: str) -> Settings:
    """Settings whose database has no schema."""
    return replace(settings, database_url=empty_database_url)


def url_of(settings: Settings) -> str:
    assert settings.database_url
    return settings.database_url


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
    return {name for (name,) in rows}


async def test_an_empty_database_is_migrated_when_it_is_opened(empty_settings: Settings) -> None:
    async with open_database(empty_settings, application="test") as database:
        assert await database.fetch_one("schema.state") == {"revision": NEWEST, "timezone": "UTC"}
    async with open_database(empty_settings, application="test", migrate=False) as database:
        assert await database.fetch_one("schema.used") == {"used": False}


async def test_an_old_schema_is_refused_where_nobody_may_migrate(empty_settings: Settings) -> None:
    with pytest.raises(DatabaseRefused, match="acd db upgrade"):
        async with open_database(empty_settings, application="test", migrate=False):
            pass
    assert tables(url_of(empty_settings)) == set()


async def test_a_newer_schema_is_refused(database_settings: Settings) -> None:
    with psycopg.connect(url_of(database_settings)) as connection:
        connection.execute("UPDATE acd_schema_version SET version_num = '9999'")
    with pytest.raises(DatabaseRefused, match=r"revision 9999.*upgrade acd"):
        async with open_database(database_settings, application="test"):
            pass


async def test_a_schema_that_changes_under_a_running_program_is_noticed(
    database_settings: Settings,
) -> None:
    async with open_database(database_settings, application="test") as database:
        await database.fetch_one("schema.state")
        with psycopg.connect(url_of(database_settings), autocommit=True) as other:
            other.execute("UPDATE acd_schema_version SET version_num = '9999'")
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(DatabaseRefused, match="start acd again"):
            await database.fetch_one("schema.state")


async def test_two_migrators_at_once_are_fine(empty_settings: Settings) -> None:
    url = url_of(empty_settings)
    states = await asyncio.gather(
        *(bring_up_to_date(url, application="test", timezone="UTC", migrate=True) for _ in range(2))
    )
    assert states == [State(NEWEST, "UTC")] * 2


@pytest.mark.parametrize(
    "statement", ["acd_settings", "targets", "session_usage", "harness_errors", "account_limits"]
)
async def test_a_migrator_killed_at_a_statement_leaves_the_old_schema(
    empty_settings: Settings, statement: str
) -> None:
    url = url_of(empty_settings)
    with waiting_at(url, statement) as migrator:
        migrator.send_signal(signal.SIGKILL)
        migrator.wait()
    # Its backend goes on to the end of what it was sent, then finds nobody to commit for.
    until(
        url,
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity "
        "WHERE application_name = 'acd migrate' AND datname = current_database())",
    )
    assert tables(url) <= {"acd_schema_version"}
    await upgrade(url, timezone="UTC")
    async with open_database(empty_settings, application="test", migrate=False):
        assert len(tables(url)) > 10


async def test_a_migration_whose_connection_is_lost_is_an_outage(empty_settings: Settings) -> None:
    url = url_of(empty_settings)
    with waiting_at(url, "targets") as migrator:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'acd migrate' AND datname = current_database()"
            )
        assert migrator.wait(30) == 75
    with pytest.raises(DatabaseAway):
        await upgrade("postgresql://acd_user@127.0.0.1:1/none", timezone="UTC")


@contextmanager
def waiting_at(url: str, table: str) -> Iterator[subprocess.Popen[bytes]]:
    """A migrator that waits in the middle of its work, where it makes `table`, which another transaction made too."""
    with psycopg.connect(url) as blocker:
        blocker.execute(f"CREATE TABLE {table} (a int)".encode())
        migrator = subprocess.Popen(
            [sys.executable, "-m", "acd.database.migrate"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        assert migrator.stdin
        migrator.stdin.write(json.dumps({"url": url, "timezone": "UTC"}).encode())
        migrator.stdin.close()
        try:
            until(
                url,
                "SELECT EXISTS (SELECT FROM pg_stat_activity "
                "WHERE application_name = 'acd migrate' AND datname = current_database() "
                "AND wait_event_type = 'Lock' AND query LIKE '%CREATE TABLE%')",
            )
            yield migrator
        finally:
            migrator.kill()
            migrator.wait()
            blocker.rollback()


def until(url: str, question: str) -> None:
    deadline = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(question.encode()).fetchone() != (True,):
            assert time.monotonic() < deadline, question
            time.sleep(0.02)


async def test_another_time_zone_than_the_databases_is_refused_when_it_was_set_on_purpose(
    database_settings: Settings,
) -> None:
    async with open_database(replace(database_settings, timezone="Asia/Tokyo"), application="test"):
        pass  # a default that differs means nothing
    given = replace(database_settings, timezone="Asia/Tokyo", given=frozenset({"timezone"}))
    with pytest.raises(DatabaseRefused, match="acd db timezone Asia/Tokyo"):
        async with open_database(given, application="test"):
            pass


async def test_the_first_time_zone_is_that_of_the_settings_for_everybodys_sql(
    empty_settings: Settings,
) -> None:
    given = replace(empty_settings, timezone="Europe/Berlin", given=frozenset({"timezone"}))
    async with open_database(given, application="test") as database:
        assert await database.fetch_one("schema.state") == {
            "revision": NEWEST,
            "timezone": "Europe/Berlin",
        }
    with psycopg.connect(url_of(given)) as anybody:
        assert anybody.execute("SHOW timezone").fetchone() == ("Europe/Berlin",)


def test_the_target_comes_first_in_every_key(database_url: str) -> None:
    """So that the schema can be spread over machines by target (records.md)."""
    alone = {"targets", "request_owners", "acd_settings", "acd_schema_version"}
    with psycopg.connect(database_url) as connection:
        keys = connection.execute(
            "SELECT c.relname, i.indexrelid::regclass::text, a.attname "
            "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] "
            "WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique AND c.relname NOT LIKE 'procrastinate%%'"
        ).fetchall()
    assert len(keys) > 15
    assert [key for key in keys if key[0] not in alone and key[2] != "target_id"] == []


def test_every_reference_is_to_the_same_target(database_url: str) -> None:
    """A foreign key of a table with a target carries the target: else Citus could not hold it."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT k.conname, (SELECT attname FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = k.conkey[1]) "
            "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
            "WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND c.relname NOT LIKE 'procrastinate%%'"
        ).fetchall()
    assert len(found) > 5
    assert [key for key in found if key[1] != "target_id"] == []


def test_a_database_is_of_its_own_id(database_url: str, empty_database_url: str) -> None:
    """Two databases are never taken for one (copies keep the id on purpose)."""
    asyncio.run(upgrade(empty_database_url, timezone="UTC"))
    seen = set()
    for url in (database_url, empty_database_url):
        with psycopg.connect(url) as connection:
            seen.add(
                connection.execute(
                    "SELECT value FROM acd_settings WHERE key = 'database_id'"
                ).fetchone()
            )
    assert len(seen) == 2
