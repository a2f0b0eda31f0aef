"""What was read is kept until something is written, and is never older than the question."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from acd.database.connection import Database
from acd.database.keeping import Kept
from acd.database.queries import Queries, Query, load_queries

SQL = {
    "t.session": "SELECT to_json(current_setting('acd.test', true))",
    "t.set": "SELECT set_config('acd.test', %(value)s, false)",
    "t.now": "SELECT to_json(now())",
    "t.sum": "SELECT to_json(coalesce(sum(n), 0)) FROM counts WHERE id >= %(id)s",
    "t.add": "INSERT INTO counts (id, n) VALUES (%(id)s, 1) ON CONFLICT (id) DO UPDATE SET n = counts.n + 1",
}


@pytest.fixture
async def db(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    ours = {name: Query(name, "Of this test.", text.encode()) for name, text in SQL.items()}
    queries = Queries({**load_queries(), **ours})
    for module in ("connection", "transaction"):
        monkeypatch.setattr(f"acd.database.{module}.load_queries", lambda: queries)
    async with database.transaction() as transaction:
        await transaction.execute_sql("CREATE TABLE counts (id int8 PRIMARY KEY, n int8)")
    return database


Read = TypeVar("Read")


async def _undisturbed(db: Database, read: Callable[[], Awaitable[Read]]) -> Read:
    """What a read gives while nobody else on the server writes: other tests share it, and their commits, too, make another moment."""
    async with asyncio.timeout(60):
        while True:
            before = await db.fetch_json("schema.moment")
            found = await read()
            if await db.fetch_json("schema.moment") == before:
                return found


async def test_a_question_is_read_once_until_anything_is_written(db: Database) -> None:
    """A setting of the connection is no stored row: the old answer shows that nothing was read again."""

    async def twice() -> list[bytes | None]:
        await db.fetch_one("t.set", value="first")
        read = [await db.shared_json("t.session")]
        await db.fetch_one("t.set", value="second")
        return [*read, await db.shared_json("t.session")]

    first, second = await _undisturbed(db, twice)
    assert first == second
    await db.execute("t.add", id=1)
    await db.fetch_one("t.set", value="third")
    assert await db.shared_json("t.session") == b'"third"'


async def test_the_time_is_never_kept(db: Database) -> None:
    first, second = [datetime.fromisoformat(json.loads(await _now(db))) for _ in range(2)]
    assert first < second <= datetime.now(UTC)


async def _now(db: Database) -> bytes:
    return await db.shared_json("t.now") or b""


async def test_other_parameters_are_another_question(db: Database) -> None:
    await db.execute("t.add", id=1)
    assert [await db.shared_json("t.sum", id=at) for at in (1, 2, 1)] == [b"1", b"0", b"1"]


async def test_every_commit_is_seen_by_who_asks_after_it(db: Database) -> None:
    """Writers of rows of their own, some of them slow: numbers are not given in the order of the commits."""
    asked = lambda: db.shared_json("t.sum", id=0)  # noqa: E731 - one question
    assert await _missed(db, asked) == 0


async def test_that_would_tell_a_cache_that_is_stale(db: Database) -> None:
    """The control: the same with answers that are kept for 50 ms."""
    kept: dict[str, tuple[float, bytes | None]] = {}

    async def asked() -> bytes | None:
        now = asyncio.get_running_loop().time()
        if not kept or kept["t.sum"][0] < now - 0.05:
            kept["t.sum"] = (now, await db.fetch_json("t.sum", id=0))
        return kept["t.sum"][1]

    assert await _missed(db, asked) > 0


async def _missed(db: Database, asked: Callable[[], Awaitable[bytes | None]]) -> int:
    """How often an answer lacked something that had been committed when it was asked for."""
    committed = missed = 0

    async def write(writer: int) -> None:
        nonlocal committed, missed
        for _ in range(25):
            async with db.transaction() as transaction:
                await transaction.execute("t.add", id=writer)
                if writer % 2:
                    await asyncio.sleep(0.004)
            committed += 1
            expected = committed
            missed += int(await asked() or b"0") < expected

    await asyncio.gather(*(write(writer) for writer in range(6)))
    return missed


def test_which_queries_are_kept() -> None:
    queries = load_queries()
    kept = (
        "sessions.recent",
        "targets.recent",
        "targets.summary",
        "figures.sessions",
        "metrics.now",
    )
    assert not [name for name in kept if queries[name].tells_time]
    told = ("targets.status", "live.limits", "control.put_order", "schema.moment")
    assert not [name for name in told if name in queries and not queries[name].tells_time]


def test_the_oldest_answers_make_room() -> None:
    kept = Kept[str](most_bytes=4 * 1024 + 3000)
    for question in "abc":
        kept.keep(question, b"m", question.upper(), 1000)
    found = kept.find("a", b"m")
    assert found is not None
    assert found.answer == "A"
    kept.keep("d", b"m", "D", 1000)
    assert [kept.find(question, b"m") is not None for question in "abcd"] == [
        True,
        False,
        True,
        True,
    ]
    assert kept.find("a", b"n") is None


def test_an_answer_that_is_too_large_is_not_kept_and_makes_no_room() -> None:
    kept = Kept[str]()
    kept.keep("small", b"m", "", 0)
    kept.keep("large", b"m", "", 2_000_000)
    assert kept.find("small", b"m") is not None
    assert kept.find("large", b"m") is None


async def test_what_is_made_of_rows_is_made_again_after_a_commit(db: Database) -> None:
    made = 0

    async def make(_: Database) -> int:
        nonlocal made
        made += 1
        return made

    async def thrice() -> list[int]:
        return [await db.while_unchanged("q", make, size=1) for _ in range(3)]

    seen = await _undisturbed(db, thrice)
    assert seen == [seen[0]] * 3
    await db.execute("t.add", id=1)
    assert await db.while_unchanged("q", make, size=1) == seen[0] + 1


async def test_who_has_patience_is_told_what_was_so_a_moment_ago(db: Database) -> None:
    patient = db.lately(3600)
    await patient.shared_json("t.sum", id=0)
    await db.execute("t.add", id=1)
    assert await patient.shared_json("t.sum", id=0) == b"0"
    assert await db.shared_json("t.sum", id=0) == b"1"
    assert await patient.shared_json("t.sum", id=0) == b"1"


async def test_patience_ends(db: Database) -> None:
    patient = db.lately(0.001)
    await patient.shared_json("t.sum", id=0)
    await db.execute("t.add", id=1)
    await asyncio.sleep(0.01)
    assert await patient.shared_json("t.sum", id=0) == b"1"


async def test_what_is_asked_after_a_change_sees_it(db: Database) -> None:
    patient = db.lately(3600)
    made = [
        await patient.shared_json("t.sum", id=0),
        await patient.while_unchanged("q", _sum, size=1),
    ]
    await db.execute("t.add", id=1)
    patient.read_anew()
    made += [
        await patient.shared_json("t.sum", id=0),
        await patient.while_unchanged("q", _sum, size=1),
    ]
    assert made == [b"0", b"0", b"1", b"1"]


async def _sum(db: Database) -> bytes:
    return await db.shared_json("t.sum", id=0) or b""


async def test_what_was_read_with_patience_is_never_older_for_others(db: Database) -> None:
    """What is made of an old answer must not be kept as if it were of the moment."""
    patient = db.lately(3600)
    await patient.shared_json("t.sum", id=0)
    await db.execute("t.add", id=1)
    assert await patient.while_unchanged("q", _sum, size=1) == b"1"
    assert await db.while_unchanged("q", _sum, size=1) == b"1"
    await db.execute("t.add", id=2)
    assert await patient.while_unchanged("q", _sum, size=1) == b"1"
    assert await db.while_unchanged("q", _sum, size=1) == b"2"


async def test_the_time_too_may_be_told_late(db: Database) -> None:
    patient = db.lately(3600)
    first = await _now(patient)
    assert await _now(patient) == first
    assert await _now(db) != first
    patient.read_anew()
    assert await _now(patient) != first


async def test_an_answer_that_still_holds_is_as_good_as_a_new_one() -> None:
    kept = Kept[str]()
    kept.keep("q", b"m", "a", 1, now=10.0)
    assert kept.lately("q", 11.0) is None
    assert kept.find("q", b"m", 12.0) is not None
    assert kept.lately("q", 11.0) is not None
    kept.read_anew(13.0)
    assert kept.lately("q", 11.0) is None
