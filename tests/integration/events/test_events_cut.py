"""A reader that is cut off again and again misses nothing and sees nothing twice, while many write; a naive one misses."""

from __future__ import annotations

import asyncio
import random

import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.reports import stream
from acd.reports.stream import Position
from tests.integration.events.conftest import (
    Reader,
    assert_told_once,
    play_session,
    recorded,
)
from tests.integration.ledger.stage import select
from tests.integration.serving import settled

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

WRITERS = 6
CUTS = 50


async def test_a_reader_cut_50_times_sees_each_event_once(
    database: Database, database_url: str, settings: Settings, address: str
) -> None:
    reader, enough = Reader(address), asyncio.Event()
    whole, late = Reader(address), Reader(address)
    chance = random.Random(50)

    async def write(number: int, writing: Database) -> None:
        while not enough.is_set():
            lines = chance.randint(1, 12)
            await play_session(settings, writing, repo_id=f"repo-{number}", lines=lines)

    async def read() -> None:
        for _ in range(CUTS):
            await reader.read_bytes(chance.choice([1, 300, 3_000, 30_000]))
        enough.set()

    async def read_whole(follower: Reader) -> None:
        async with follower.connected() as answer:
            async for _ in follower.follow(answer):
                if enough.is_set() and len(follower.seen) > 10:
                    return

    at_url = Settings(home=settings.home, database_url=database_url)
    async with open_database(at_url, application="writers", migrate=False) as writing:
        await reader.read_bytes(1)  # begins with now
        await whole.read_bytes(1)
        await asyncio.gather(
            read(), read_whole(whole), *(write(number, writing) for number in range(WRITERS))
        )
    timeline, owners = await recorded(database)
    assert len(timeline) >= WRITERS
    assert len(owners) >= WRITERS
    for each in (reader, whole):
        await each.read_up_to_now()
        assert_told_once(each, timeline, owners)
    assert {event.name for event in reader.seen} == set(stream.EVENT_NAMES)
    await late.read_up_to_now()
    assert late.seen == [], "who begins now is told nothing of before"


async def test_what_a_slow_transaction_commits_late_is_told_in_its_place(
    database: Database, database_url: str, settings: Settings
) -> None:
    """The control pages by the number alone, which was given out before the slow one committed: it misses it."""
    session = await play_session(settings, database)
    begin = Position((await stream.horizon(database, 0)).txid)
    naive = begin
    insert = (
        "INSERT INTO session_events (target_id, session_id, seq, kind) "
        "SELECT target_id, id, %s, 'text' FROM harness_sessions WHERE id = %s RETURNING txid::text"
    )
    async with await psycopg.AsyncConnection.connect(database_url) as slow:
        row = await (await slow.execute(insert, [10**9, session])).fetchone()
        assert row is not None
        slow_txid = int(row[0])
        await play_session(settings, database, lines=1, settle=False)
        seen = await stream.horizon(database, begin.txid)
        assert seen.txid <= slow_txid
        assert (seen.news, seen.waiting) == (False, True)
        assert await stream.page(database, begin, seen.txid, target_id=None, limit=100) == []
        # Everything that can be seen, without a horizon.
        wrong = await stream.page(database, naive, 2**62, target_id=None, limit=100)
        assert wrong
        naive = wrong[-1].position
        await slow.commit()
    await settled(database)
    seen = await stream.horizon(database, begin.txid)
    assert (seen.news, seen.waiting) == (True, False)
    right = await stream.page(database, begin, seen.txid, target_id=None, limit=100)
    assert right[0].position.txid == slow_txid
    assert [told.position for told in right[1:]] == [told.position for told in wrong]
    missed = await stream.page(database, naive, 2**62, target_id=None, limit=100)
    assert missed == [], "the naive reader never sees the slow one's row"


async def test_pages_of_any_size_are_the_same(database: Database, settings: Settings) -> None:
    """Several sessions in one transaction, and requests: each place is unique and in order."""
    for _ in range(3):
        await play_session(settings, database, lines=3)
    await select(
        database,
        "WITH one AS (UPDATE session_events SET txid = pg_current_xact_id()), "
        "two AS (UPDATE request_owners SET txid = pg_current_xact_id()) SELECT 1",
    )
    await settled(database)
    below = (await stream.horizon(database, 0)).txid
    whole = await stream.page(database, Position(0), below, target_id=None, limit=1000)
    places = [told.position for told in whole]
    assert len({place.txid for place in places}) == 1
    assert places == sorted(set(places))
    for size in (1, 2, 7):
        found, behind = [], Position(0)
        while page := await stream.page(database, behind, below, target_id=None, limit=size):
            found += page
            behind = page[-1].position
        assert found == whole
