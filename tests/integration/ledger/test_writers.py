"""Eight writers on one target at once: the sums agree four ways, and without the lock they do not."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database, Transaction, open_database
from acd.files.folder import SessionFolder
from acd.ledger.catch_up import open_source
from acd.ledger.price import PriceList
from acd.reports.totals import disagreements, four_ways
from tests.integration.ledger.stage import select, session_of

WRITERS = 8
PRICES = PriceList()


def request_line(session: int, number: int) -> bytes:
    usage = {"input_tokens": 10 + number, "output_tokens": 3, "cache_read_input_tokens": 100}
    message = {
        "id": f"msg_{session}_{number}",
        "role": "assistant",
        "model": random.Random(number).choice(["claude-opus-5-5", "claude-sonnet-5-5"]),
        "content": [],
        "usage": usage,
    }
    return json.dumps(
        {"type": "assistant", "message": message, "timestamp": "2026-11-22T20:00:00Z"}
    ).encode()


def lines_of(session: int, count: int) -> Iterator[bytes]:
    return (request_line(session, number) + b"\n" for number in range(count))


async def write_session(
    folder: SessionFolder, database: Database, session: int, count: int
) -> None:
    """Lines come in small pieces, each recorded at once, as while an agent works."""
    source = open_source(folder.path, database, PRICES)
    assert source is not None
    with folder.stream.open("ab", buffering=0) as stream:
        for line in lines_of(session, count):
            stream.write(line)
            await source.catch_up()


async def work_together(database_url: str, settings: Settings, rounds: int, count: int) -> None:
    folders = [session_of(settings, rounds * WRITERS + n + 1) for n in range(WRITERS)]
    async with _opened(database_url, settings) as database:
        await asyncio.gather(
            *(
                write_session(folder, database, UUID(folder.path.name).int, count)
                for folder in folders
            )
        )


@asynccontextmanager
async def _opened(url: str, settings: Settings) -> AsyncIterator[Database]:
    at_url = Settings(home=settings.home, database_url=url)
    async with open_database(at_url, application="writers", migrate=False) as database:
        yield database


async def test_eight_writers_agree_four_ways(
    database: Database, database_url: str, settings: Settings
) -> None:
    await work_together(database_url, settings, 0, 12)
    totals = await four_ways(database)
    assert disagreements(totals) == []
    ledger = next(total for total in totals if total.way == "token_usage_details")
    assert ledger.output_tokens == WRITERS * 12 * 3
    assert ledger.input_tokens == WRITERS * sum(10 + n for n in range(12))


async def test_without_the_lock_they_disagree(
    database: Database,
    database_url: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: the same work without the lock on the target must go wrong, or the test above shows nothing."""
    real = Transaction.fetch_all

    async def unlocked(self: Transaction, name: str, /, **params: object) -> list[dict[str, Any]]:
        return [] if name == "ledger.lock_targets" else await real(self, name, **params)

    really = Transaction.execute

    async def lingering(self: Transaction, name: str, /, **params: object) -> int:
        touched = await really(self, name, **params)
        if name == "rollups.model_usage":
            # The others sum up meanwhile, without what is not committed yet.
            await asyncio.sleep(0.01)
        return touched

    monkeypatch.setattr(Transaction, "fetch_all", unlocked)
    monkeypatch.setattr(Transaction, "execute", lingering)
    for rounds in range(12):
        await work_together(database_url, settings, rounds, 12)
        if disagreements(await four_ways(database)):
            return
    raise AssertionError("12 rounds of unlocked writers agreed: the control does not bite")


async def test_sessions_that_tell_of_the_same_requests_agree_whoever_is_first(
    database: Database, database_url: str, settings: Settings
) -> None:
    """Every session of four targets holds the same messages: in the end they all belong to the smallest id."""
    folders = [session_of(settings, n + 1, repo_id=f"repo-{n % 4}") for n in range(WRITERS)]
    async with _opened(database_url, settings) as several:
        await asyncio.gather(*(write_session(folder, several, 0, 12) for folder in folders))
    rows = await select(
        database, "SELECT id, request_count, input_tokens FROM harness_sessions ORDER BY id"
    )
    assert [(row["id"].int, row["request_count"]) for row in rows] == [
        (1, 12),
        *((n + 1, 0) for n in range(1, WRITERS)),
    ]
    assert disagreements(await four_ways(database)) == []
