"""Status, dump and restore, time zone."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from acd.core.errors import DatabaseAway, DatabaseError, DatabaseRefused
from acd.core.settings import Settings
from acd.database import maintenance
from acd.database.connection import Database, open_database

# One target with one session that began at 23:30 UTC of 1 January and spent a request before and one after midnight.
RECORDS = """
INSERT INTO targets (id, repo_id, name, path)
VALUES ('00000000-0000-0000-0000-00000000000a', 'a', 'A', '/a');
INSERT INTO harness_sessions (target_id, id, session_type, origin, agent, agent_session_id, model, status, started_at)
VALUES ('00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b', 'coding', 'harness',
        'scripted', 's', 'opus', 'completed', '2026-01-01 23:30+00');
INSERT INTO token_usage_details (target_id, request_key, session_id, model, input_tokens, output_tokens,
                                 cache_read_tokens, cache_write_tokens, cost_usd, requested_at)
VALUES ('00000000-0000-0000-0000-00000000000a', 'r1', '00000000-0000-0000-0000-00000000000b', 'opus',
        1, 2, 3, 4, 0.10, '2026-01-01 23:45+00'),
       ('00000000-0000-0000-0000-00000000000a', 'r2', '00000000-0000-0000-0000-00000000000b', 'opus',
        10, 20, 30, 40, 0.00000001, '2026-01-02 00:15+00');
"""


def url_of(settings: Settings) -> str:
    assert settings.database_url
    return settings.database_url


@pytest.fixture
def recorded(database_settings: Settings) -> Settings:
    with psycopg.connect(url_of(database_settings)) as connection:
        connection.execute(RECORDS)
    return database_settings


def usage(settings: Settings) -> list[tuple[date, int, int]]:
    with psycopg.connect(url_of(settings)) as connection:
        rows = connection.execute(
            "SELECT usage_date, total_tokens, request_count FROM model_usage ORDER BY 1"
        ).fetchall()
    return [(day, tokens, requests) for day, tokens, requests in rows]


async def test_another_time_zone_moves_rows_to_other_days(recorded: Settings) -> None:
    await maintenance.set_timezone(recorded, "UTC")
    assert usage(recorded) == [(date(2026, 1, 1), 10, 1), (date(2026, 1, 2), 100, 1)]
    await maintenance.set_timezone(recorded, "Europe/Berlin")
    assert usage(recorded) == [(date(2026, 1, 2), 110, 2)]
    with psycopg.connect(url_of(recorded)) as anybody:
        rows = anybody.execute(
            "SELECT snapshot_date, sessions_today, tokens_today, current_setting('timezone') "
            "FROM progress_snapshots WHERE sessions_today > 0"
        ).fetchall()
    assert rows == [(date(2026, 1, 2), 1, 110, "Europe/Berlin")]


async def test_who_was_connected_goes_on_in_the_new_zone(recorded: Settings) -> None:
    async with open_database(recorded, application="worker") as database:
        before = await zone_of(database)
        await maintenance.set_timezone(recorded, "Asia/Tokyo")
        assert (before, await zone_of(database)) == ("UTC", "Asia/Tokyo")


async def test_who_insists_on_the_old_zone_is_refused_from_then_on(recorded: Settings) -> None:
    given = replace(recorded, given=frozenset({"timezone"}))
    async with open_database(given, application="worker") as database:
        await zone_of(database)
        await maintenance.set_timezone(given, "Asia/Tokyo")
        with pytest.raises(DatabaseRefused, match="ACD_TIMEZONE is UTC"):
            await zone_of(database)


async def zone_of(database: Database) -> str:
    async with database.transaction() as transaction:
        (row,) = await transaction.fetch_foreign("SELECT current_setting('TimeZone') AS zone", {})
    return str(row["zone"])


async def test_a_dump_restores_into_a_new_database(
    recorded: Settings, empty_database_url: str, tmp_path: Path
) -> None:
    await maintenance.set_timezone(recorded, "Europe/Berlin")
    file = tmp_path / "all.dump"
    await maintenance.dump(recorded, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    fresh = replace(recorded, database_url=empty_database_url)
    await maintenance.restore(fresh, file)
    assert usage(fresh) == usage(recorded) != []
    async with open_database(fresh, application="test", migrate=False) as database:
        assert await zone_of(database) == "Europe/Berlin"
    with psycopg.connect(empty_database_url) as anybody:
        assert anybody.execute("SHOW timezone").fetchone() == ("Europe/Berlin",)


async def test_records_are_replaced_only_when_told_so(recorded: Settings, tmp_path: Path) -> None:
    file = tmp_path / "all.dump"
    await maintenance.dump(recorded, file)
    with psycopg.connect(url_of(recorded)) as connection:
        connection.execute("UPDATE targets SET name = 'changed'")
    with pytest.raises(DatabaseRefused, match="--replace"):
        await maintenance.restore(recorded, file)
    await maintenance.restore(recorded, file, replace=True)
    with psycopg.connect(url_of(recorded)) as connection:
        assert connection.execute("SELECT name FROM targets").fetchone() == ("A",)


async def test_what_is_restored_is_of_the_past(recorded: Settings, tmp_path: Path) -> None:
    """A dump of a server that has counted further: its rows must not come up as news when this one gets there."""
    with psycopg.connect(url_of(recorded)) as connection:
        connection.execute(
            "INSERT INTO session_events (target_id, session_id, seq, kind, txid) "
            "SELECT target_id, id, 1, 'text', '1'::xid8 FROM harness_sessions UNION ALL "
            "SELECT target_id, id, 2, 'text', '1000000000000'::xid8 FROM harness_sessions"
        )
        connection.execute(
            "INSERT INTO request_owners (request_key, target_id, session_id, first_seen_at, txid) "
            "SELECT 'r1', target_id, id, now(), '1000000000000'::xid8 FROM harness_sessions"
        )
    file = tmp_path / "all.dump"
    await maintenance.dump(recorded, file)
    await maintenance.restore(recorded, file, replace=True)
    with psycopg.connect(url_of(recorded)) as connection:
        rows = connection.execute(
            "SELECT txid < pg_snapshot_xmin(pg_current_snapshot()) FROM session_events UNION ALL "
            "SELECT txid < pg_snapshot_xmin(pg_current_snapshot()) FROM request_owners"
        ).fetchall()
    assert rows == [(True,)] * 3


async def test_a_broken_dump_changes_nothing(recorded: Settings, tmp_path: Path) -> None:
    file = tmp_path / "all.dump"
    await maintenance.dump(recorded, file)
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(DatabaseError, match="pg_restore failed"):
        await maintenance.restore(recorded, file, replace=True)
    with psycopg.connect(url_of(recorded)) as connection:
        assert connection.execute("SELECT count(*) FROM token_usage_details").fetchone() == (2,)


async def test_a_dump_that_fails_leaves_no_file(settings: Settings, tmp_path: Path) -> None:
    away = replace(settings, database_url="postgresql://someone:secret@127.0.0.1:1/none")
    file = tmp_path / "all.dump"
    with pytest.raises(DatabaseError, match="pg_dump failed") as caught:
        await maintenance.dump(away, file)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


async def test_the_status_of_a_database_that_is_there(recorded: Settings) -> None:
    found = await maintenance.status(recorded)
    assert found.source == "DATABASE_URL"
    assert (found.reachable, found.problem, found.timezone) == (True, None, "UTC")
    assert found.revision == found.newest_revision
    assert found.size_bytes


async def test_the_status_of_what_is_not_there_starts_nothing(settings: Settings) -> None:
    found = await maintenance.status(settings)
    assert (found.source, found.reachable) == ("embedded", False)
    assert found.problem == "the embedded server is not running"
    assert found.embedded
    assert not found.embedded.data.parent.exists()
    away = replace(settings, database_url="postgresql://someone:secret@127.0.0.1:1/none")
    found = await maintenance.status(away)
    assert not found.reachable
    assert "127.0.0.1:1/none" in str(found.problem)
    assert "secret" not in repr(found)
    with pytest.raises(DatabaseAway):
        await maintenance.bring_to_newest(away)
