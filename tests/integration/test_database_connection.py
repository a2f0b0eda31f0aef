"""The door: values, errors, transactions, notifications. Each test has a database of its own."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from msgspec.structs import replace

from acd.core.errors import DatabaseAway, DatabaseError, DatabaseRefused, DataRefused
from acd.core.settings import Settings
from acd.database.connection import Database, Json, Notification, Transaction, open_database
from acd.database.queries import Queries, Query, load_queries

SQL = {
    "t.one": "SELECT %(value)s AS value",
    "t.json": "SELECT json_agg(n ORDER BY n) FROM generate_series(1, %(upto)s) AS n",
    "t.put": "INSERT INTO things (id, note, data) VALUES (%(id)s, %(note)s, %(data)s)",
    "t.all": "SELECT id, note, data FROM things ORDER BY id",
    "t.types": "SELECT %(list)s::int[] AS list, %(dict)s AS dict, %(json)s AS json, 1.10::numeric AS cost, "
    "'2026-01-02 03:04:05+00'::timestamptz AS at",
    "t.sleep": "SELECT pg_sleep(%(seconds)s)",
    "t.notify": "SELECT pg_notify(%(channel)s, %(payload)s)",
    "t.broken": "SELECT nothing FROM nowhere",
    "t.settings": "SELECT current_setting('TimeZone') AS zone, current_setting('plan_cache_mode') AS plans, "
    "current_setting('application_name') AS application",
    "t.end_me": "SELECT pg_terminate_backend(pg_backend_pid())",
    "t.pid": "SELECT pg_backend_pid() AS pid",
    "t.limit": "SELECT current_setting('statement_timeout') AS value",
}


@pytest.fixture
async def db(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database with queries of this test and a table for them."""
    ours = {name: Query(name, "Of this test.", text.encode()) for name, text in SQL.items()}
    queries = Queries({**load_queries(), **ours})
    monkeypatch.setattr("acd.database.transaction.load_queries", lambda: queries)
    async with database.transaction() as transaction:
        await transaction.execute_sql(
            "CREATE TABLE things (id int8 PRIMARY KEY, note text, data jsonb)"
        )
    return database


async def test_values_come_back_as_what_they_are(db: Database) -> None:
    found = await db.fetch_one("t.types", list=[1, 2], dict={"a": [1]}, json=Json([1, "x"]))
    assert found == {
        "list": [1, 2],
        "dict": {"a": [1]},
        "json": [1, "x"],
        "cost": Decimal("1.10"),
        "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    identity = uuid4()
    assert (await db.fetch_one("t.one", value=identity)) == {"value": identity}


async def test_json_is_passed_through_undecoded(db: Database) -> None:
    found = await db.fetch_json("t.json", upto=3)
    assert isinstance(found, bytes)
    assert json.loads(found) == [1, 2, 3]
    assert await db.fetch_json("t.json", upto=0) is None
    assert await db.fetch_json("t.all") is None


async def test_a_call_is_a_transaction_of_its_own_and_counts_rows(db: Database) -> None:
    assert await db.execute("t.put", id=1, note="ä", data={"n": None}) == 1
    assert await db.fetch_all("t.all") == [{"id": 1, "note": "ä", "data": {"n": None}}]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"id": 1, "note": "a\x00b", "data": {}}, "NUL in text, which the driver refuses"),
        ({"id": 1, "note": "\ud800", "data": {}}, "a lone surrogate, which has no UTF-8"),
        ({"id": 1, "note": "a", "data": {"a": "\x00"}}, "NUL in jsonb"),
        ({"id": 1, "note": "a", "data": {"a": "\udfff"}}, "a lone surrogate in jsonb"),
        ({"id": 2**63, "note": "a", "data": {}}, "beyond int8"),
        ({"id": None, "note": "a", "data": {}}, "null where there must be none"),
    ],
)
async def test_a_bad_value_is_told_from_an_outage(
    db: Database, given: dict[str, object], why: str
) -> None:
    with pytest.raises(DataRefused):
        await db.execute("t.put", **given)
    assert await db.fetch_all("t.all") == [], why


async def test_a_double_key_is_a_bad_value(db: Database) -> None:
    await db.execute("t.put", id=1, note="a", data={})
    with pytest.raises(DataRefused, match="things_pkey"):
        await db.execute("t.put", id=1, note="b", data={})


async def test_a_broken_statement_is_neither(db: Database) -> None:
    with pytest.raises(DatabaseError, match="nowhere") as caught:
        await db.fetch_all("t.broken")
    assert type(caught.value) is DatabaseError


async def test_a_transaction_is_all_or_nothing(db: Database) -> None:
    with pytest.raises(LookupError):
        await _put_and_raise(db)
    assert await db.fetch_all("t.all") == []
    async with db.transaction() as transaction:
        await transaction.execute("t.put", id=1, note="a", data={})
        await transaction.execute("t.put", id=2, note="b", data={})
    assert len(await db.fetch_all("t.all")) == 2


async def test_a_swallowed_error_is_no_commit(db: Database) -> None:
    with pytest.raises(DatabaseError, match="nothing was stored"):
        await _put_and_swallow(db)
    assert await db.fetch_all("t.all") == []


async def _put_and_raise(db: Database) -> None:
    async with db.transaction() as transaction:
        await transaction.execute("t.put", id=1, note="a", data={})
        raise LookupError


async def _put_and_swallow(db: Database) -> None:
    async with db.transaction() as transaction:
        await transaction.execute("t.put", id=1, note="a", data={})
        with pytest.raises(DataRefused):
            await transaction.execute("t.put", id=1, note="b", data={})


async def test_a_savepoint_is_undone_alone_also_inside_another(db: Database) -> None:
    async with db.transaction() as transaction:
        await transaction.execute("t.put", id=1, note="a", data={})
        with pytest.raises(DataRefused):
            await _refused_at_the_end(transaction)
        async with transaction.savepoint():
            await transaction.execute("t.put", id=3, note="c", data={})
    assert [row["id"] for row in await db.fetch_all("t.all")] == [1, 3]


async def _refused_at_the_end(transaction: Transaction) -> None:
    async with transaction.savepoint():
        await transaction.execute("t.put", id=2, note="b", data={})
        await _refused_inside(transaction)
        await transaction.execute("t.put", id=1, note="twice", data={})


async def _refused_inside(transaction: Transaction) -> None:
    with pytest.raises(DataRefused):
        async with transaction.savepoint():
            await transaction.execute("t.put", id=None, note="b", data={})


@pytest.mark.parametrize("types", [None, ["int8", "text", "jsonb"]])
async def test_rows_are_copied_in_bulk(db: Database, types: list[str] | None) -> None:
    rows = [(n, "tab\there" if n % 2 else None, Json({"n": n})) for n in range(500)]
    async with db.transaction() as transaction:
        copied = await transaction.copy("things", ["id", "note", "data"], rows, types=types)
    assert copied == 500
    found = await db.fetch_all("t.all")
    assert found[1] == {"id": 1, "note": "tab\there", "data": {"n": 1}}
    assert len(found) == 500


@pytest.mark.parametrize("types", [None, ["int8", "text"]])
@pytest.mark.parametrize("bad", [(2**63, "a"), (1, "a\x00"), (1, "\ud800"), (0, "double")], ids=str)
async def test_a_copy_with_a_bad_row_stores_nothing(
    db: Database, types: list[str] | None, bad: tuple[int, str]
) -> None:
    with pytest.raises(DataRefused):
        async with db.transaction() as transaction:
            await transaction.copy("things", ["id", "note"], [(0, "good"), bad], types=types)
    assert await db.fetch_all("t.all") == []
    assert await db.execute("t.put", id=1, note="the connection still works", data={}) == 1


async def test_notifications_arrive_without_a_gap(db: Database) -> None:
    heard = db.listen("news", 'odd "name"', announce=True)
    assert await anext(heard) == Notification("", "")
    await db.execute("t.notify", channel="other", payload="not for us")
    await db.execute("t.notify", channel="news", payload="1")
    await db.execute("t.notify", channel='odd "name"', payload="2")
    assert await anext(heard) == Notification("news", "1")
    assert await anext(heard) == Notification('odd "name"', "2")
    await heard.aclose()


async def test_a_listener_learns_that_its_connection_was_lost(
    db: Database, database_url: str
) -> None:
    heard = db.listen("news", announce=True)
    await anext(heard)
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
    with pytest.raises(DatabaseAway):
        await anext(heard)


async def test_a_lost_connection_is_an_outage_and_the_next_call_succeeds(db: Database) -> None:
    with pytest.raises(DatabaseAway):
        await db.fetch_all("t.end_me")
    assert await db.fetch_one("t.one", value=1) == {"value": 1}


async def test_dead_idle_connections_are_never_given_out(db: Database, database_url: str) -> None:
    await asyncio.gather(*(db.fetch_all("t.sleep", seconds=0.05) for _ in range(10)))
    with psycopg.connect(database_url, autocommit=True) as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    assert len(ended) == 10
    found = await asyncio.gather(*(db.fetch_one("t.one", value=n) for n in range(20)))
    assert [row["value"] for row in found if row] == list(range(20))


async def test_a_cancelled_call_leaves_a_working_pool(db: Database) -> None:
    call = asyncio.create_task(db.fetch_all("t.sleep", seconds=30))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await db.fetch_one("t.one", value=1) == {"value": 1}


async def test_a_transaction_may_have_a_longer_limit(db: Database) -> None:
    async with db.transaction(timeout=60) as transaction:
        assert await transaction.fetch_one("t.limit") == {"value": "1min"}
    async with db.transaction() as transaction:
        assert await transaction.fetch_one("t.limit") == {"value": "8s"}


async def test_a_statement_that_takes_too_long_is_ended(db: Database) -> None:
    with pytest.raises(DatabaseAway):
        async with db.transaction(timeout=0.2) as transaction:
            await transaction.fetch_all("t.sleep", seconds=30)
    assert await db.fetch_one("t.one", value=1) == {"value": 1}


async def test_a_closed_database_says_so(db: Database) -> None:
    await db.close()
    with pytest.raises(DatabaseAway, match="closed"):
        await db.fetch_one("t.one", value=1)


async def test_nothing_of_the_environment_steers_a_connection(
    db: Database, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {
        "PGHOST": "nowhere.invalid",
        "PGHOSTADDR": "192.0.2.1",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGDATABASE": "none",
        "PGTZ": "Asia/Tokyo",
        "PGDATESTYLE": "German",
        "PGOPTIONS": "-c plan_cache_mode=force_custom_plan",
        "PGAPPNAME": "theirs",
        "PGCLIENTENCODING": "LATIN1",
        "PGREQUIREAUTH": "scram-sha-256",
        "PGREQUIREPEER": "somebody",
        "PGTARGETSESSIONATTRS": "standby",
        "PGCONNECT_TIMEOUT": "nonsense",
    }
    with monkeypatch.context() as environment:
        for name, value in theirs.items():
            environment.setenv(name, value)
        async with open_database(database_settings, application="ours") as opened:
            found = await opened.fetch_one("t.settings")
            text = await opened.fetch_one("t.one", value="ä€")
    assert text == {"value": "ä€"}
    assert found == {"zone": "UTC", "plans": "force_generic_plan", "application": "ours"}


async def test_an_unreachable_url_is_told_without_its_password(settings: Settings) -> None:
    url = "postgresql://someone:secret@127.0.0.1:1/records"
    given = replace(settings, database_url=url)
    with pytest.raises(DatabaseAway, match=r"127\.0\.0\.1:1/records") as caught:
        async with open_database(given, application="test"):
            pass
    assert "secret" not in str(caught.value)
    assert not settings.home.exists(), "the embedded server was not touched"


@pytest.mark.parametrize("url", ["mysql://somewhere/else", "postgresql://host/db?colour=red"])
async def test_a_url_that_is_none_is_refused(settings: Settings, url: str) -> None:
    given = replace(settings, database_url=url)
    with pytest.raises(DatabaseRefused, match="DATABASE_URL"):
        async with open_database(given, application="test"):
            pass
