"""Fault 3: the connection breaks before, in and after COMMIT, inside statements and anywhere else.

A client whose connection breaks while it commits cannot know whether it did. Rows have keys and offsets stand in the
same transaction as the rows, so whichever it was, nothing is lost and nothing doubled. Each half taken away shows.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.files.folder import SessionFolder
from acd.ledger import catch_up
from acd.ledger.owner import Owner
from acd.ledger.price import PriceList
from acd.ledger.recorder import Recorder
from acd.ledger.rows import Batch
from acd.ledger.write import Written, write_batch
from acd.testing.proxy import Cut, Proxy
from tests.integration.faults.conftest import Proxied
from tests.integration.faults.lines import NOTHING_WRONG, Findings, Ledger, Teller, compare
from tests.integration.ledger.stage import end, fingerprint, select, session_of

SESSIONS = 4
DEADLINE = 60.0


def at_commit(number: int) -> Cut:
    """Before, in and after COMMIT, in turn."""
    return (Cut(b"COMMIT"), Cut(b"COMMIT", passing=4), Cut(b"COMMIT", answered=True))[number % 3]


def anywhere(number: int, chance: random.Random) -> Cut:
    """At COMMIT, in a statement's text or values, before its answer, at any byte (also while connecting): in turn."""
    match number % 6:
        case 0 | 1 | 2:
            return at_commit(number)
        case 3:
            return Cut(b"INSERT INTO", passing=chance.randint(0, 3000))
        case 4:
            return Cut(chance.choice([b"INSERT INTO", b"SELECT", b"UPDATE"]), answered=True)
        case _:
            return Cut(passing=chance.randint(0, chance.choice([300, 30_000])))


class Feed:
    """Sessions whose files grow piece by piece, and what was told in them."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.chance = random.Random(seed)
        self.folders = [
            session_of(settings, number, repo_id=f"repo-{number % 2}")
            for number in range(1, SESSIONS + 1)
        ]
        self.tellers = [Teller(number, seed) for number in range(1, SESSIONS + 1)]

    @property
    def ledgers(self) -> list[Ledger]:
        return [teller.ledger for teller in self.tellers]

    def grow(self) -> SessionFolder:
        """A piece more of some session."""
        index = self.chance.randrange(SESSIONS)
        with self.folders[index].stream.open("ab", buffering=0) as stream:
            stream.write(self.tellers[index].piece(self.chance.randint(1, 12)))
        return self.folders[index]


async def record_under_cuts(
    feed: Feed, recorder: Recorder, proxy: Proxy, cuts: Sequence[Cut]
) -> None:
    """The files grow and are recorded until each cut has happened; then the sessions end."""
    for cut in cuts:
        if feed.chance.random() < 0.2:
            proxy.cut_all()  # while it is idle; what follows then happens to a connection that is being made
        fired = proxy.arm(cut)
        while not fired.is_set():
            recorder.ring(feed.grow())
            assert await recorder.settle(DEADLINE)
    for folder in feed.folders:
        end(folder)
        recorder.ring(folder)
    assert await recorder.settle(DEADLINE)


async def record(feed: Feed, settings: Settings, proxied: Proxied, cuts: Sequence[Cut]) -> None:
    at = Settings(home=settings.home, database_url=proxied.url)
    async with (
        open_database(at, application="cut", migrate=False) as database,
        Recorder(database, settings) as recorder,
    ):
        await record_under_cuts(feed, recorder, proxied.proxy, cuts)
    assert proxied.proxy.cuts >= len(cuts)


async def record_directly(feed: Feed, database: Database) -> None:
    for folder in feed.folders:
        source = catch_up.open_source(folder.path, database, PriceList())
        assert source is not None
        await source.catch_up()


@pytest.mark.extra
@pytest.mark.parametrize("count", [42, pytest.param(300, marks=pytest.mark.long)])
async def test_nothing_is_lost_or_doubled(
    count: int,
    proxied: Proxied,
    database: Database,
    undisturbed: Database,
    settings: Settings,
) -> None:
    feed = Feed(settings, seed=count)
    cuts = [anywhere(number, feed.chance) for number in range(count)]
    await record(feed, settings, proxied, cuts)
    assert await compare(database, *feed.ledgers) == NOTHING_WRONG
    await record_directly(feed, undisturbed)
    assert await fingerprint(database) == await fingerprint(undisturbed)
    assert (
        await select(database, "SELECT * FROM harness_sessions WHERE status <> 'completed'") == []
    )


# ---- controls: what the test above asserts fails without what holds it ----------------------------------------------

Write = Callable[[Database, Owner, Batch], Awaitable[Written]]


def _only_offsets(batch: Batch) -> Batch:
    return Batch(files=batch.files)


def _only_rows(batch: Batch) -> Batch:
    rows: Batch = msgspec.structs.replace(batch, files=[])
    return rows


async def offsets_first(database: Database, owner: Owner, batch: Batch) -> Written:
    """Weakened: the offsets in a transaction of their own, before the rows."""
    await write_batch(database, owner, _only_offsets(batch))
    return await write_batch(database, owner, _only_rows(batch))


async def offsets_last(database: Database, owner: Owner, batch: Batch) -> Written:
    """Weakened: the offsets in a transaction of their own, after the rows."""
    written = await write_batch(database, owner, _only_rows(batch))
    await write_batch(database, owner, _only_offsets(batch))
    return written


@pytest.fixture
def record_weakened(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, proxied: Proxied, database: Database
) -> Callable[[Write], Awaitable[Findings]]:
    async def record_with(write: Write) -> Findings:
        feed = Feed(settings, seed=7)
        await record_directly(feed, database)  # the sessions' own rows, for others to hang on
        monkeypatch.setattr(catch_up, "write_batch", write)
        await record(feed, settings, proxied, [*map(at_commit, range(6))])
        return await compare(database, *feed.ledgers)

    return record_with


Weakened = Callable[[Write], Awaitable[Findings]]


async def test_control_offsets_before_the_rows_lose(record_weakened: Weakened) -> None:
    assert (await record_weakened(offsets_first)).lost


async def test_control_offsets_after_unkeyed_rows_double(
    record_weakened: Weakened, database: Database
) -> None:
    async with database.transaction() as tx:
        await tx.execute_sql("ALTER TABLE session_events DROP CONSTRAINT session_events_pkey")
    assert (await record_weakened(offsets_last)).doubled


async def test_keys_alone_already_double_nothing(record_weakened: Weakened) -> None:
    """The same without the weakening of the key: what doubled there were the rows that had none."""
    assert await record_weakened(offsets_last) == NOTHING_WRONG
