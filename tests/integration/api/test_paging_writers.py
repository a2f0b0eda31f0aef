"""Pages while eight writers write: what was there before the first page comes exactly once, what came later at most once.

The writers use the statements of the ledger itself. Many rows share their time, and the times of rows that are there
already move, as they do when a request is met again in another file or an agent's report grows. Two naive ways of
paging over the same rows, in the same run, lose some and double others.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app
from tests.integration.api.walking import pages

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

WRITERS = 8
BEFORE = 1200
PAGE = 25
TARGET = UUID("a0000000-0000-0000-0000-000000000001")
SESSION = UUID("50000000-0000-0000-0000-000000000007")
START = datetime(2026, 5, 1, tzinfo=UTC)

_INSERT = """
INSERT INTO token_usage_details (target_id, request_key, session_id, model, is_request, input_tokens, output_tokens,
                                 cache_read_tokens, cache_write_tokens, requested_at)
SELECT %(target)s, key, %(session)s, 'm', true, 1, 1, 0, 0, %(at)s FROM unnest(%(keys)s::text[]) AS key
"""
_SESSIONS = """
INSERT INTO harness_sessions (target_id, id, session_type, origin, agent, agent_session_id, model, status, started_at)
SELECT %(target)s, id::uuid, 'coding', 'api', 'scripted', id, 'opus', 'completed', %(at)s
FROM unnest(%(keys)s::text[]) AS id
"""
_ERRORS = """
INSERT INTO harness_errors (target_id, id, source, source_offset, error_type, message, occurred_at)
SELECT %(target)s, id::uuid, id, 0, 'network', 'reset', %(at)s FROM unnest(%(keys)s::text[]) AS id
"""
_COMMITS = """
INSERT INTO harness_commits (target_id, sha, message, author, files_changed, additions, deletions, committed_at)
SELECT %(target)s, id, 'm', 'a', 1, 1, 0, %(at)s FROM unnest(%(keys)s::text[]) AS id
"""
# As the ledger does: earlier for a request that is met again, later for what is reported beyond the requests.
_MOVE = """
WITH locked AS MATERIALIZED (
    SELECT request_key FROM token_usage_details
    WHERE target_id = %(target)s AND request_key = ANY(%(keys)s)
    ORDER BY request_key FOR UPDATE
)
UPDATE token_usage_details d SET requested_at = %(at)s
FROM locked WHERE d.target_id = %(target)s AND d.request_key = locked.request_key
"""


class Subject(NamedTuple):
    """A list: how its rows are written and told apart."""

    path: str
    query: dict[str, str]
    insert: str
    key: str


SUBJECTS = {
    "requests": Subject("/api/db/token-usage", {}, _INSERT, "requestKey"),
    "requests of a target": Subject(
        "/api/db/token-usage", {"repoId": "shop-api"}, _INSERT, "requestKey"
    ),
    "requests of a session": Subject(
        "/api/db/token-usage", {"sessionId": str(SESSION)}, _INSERT, "requestKey"
    ),
    "sessions": Subject("/api/db/sessions", {}, _SESSIONS, "id"),
    "errors": Subject("/api/db/errors", {"repoId": "shop-api"}, _ERRORS, "id"),
    "commits": Subject("/api/db/commits/shop-api", {}, _COMMITS, "sha"),
}


class Written:
    """Keys of rows that are committed, and the writers that go on."""

    def __init__(self, url: str, subject: Subject) -> None:
        self.url = url
        self.subject = subject
        self.committed: set[str] = set()
        self.rounds = 0

    def at(self, number: int) -> datetime:
        """Times come in any order and each is shared by many rows."""
        return START + timedelta(minutes=number * 7919 % 60)

    async def put(self, connection: psycopg.AsyncConnection, keys: list[str], at: datetime) -> None:
        await connection.execute(
            self.subject.insert, {"target": TARGET, "session": SESSION, "keys": keys, "at": at}
        )
        await connection.commit()
        self.committed.update(keys)

    async def write_on(self, number: int) -> None:
        """New rows among the old, and old rows that move, until cancelled."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            for step in itertools.count(number, WRITERS):
                await self.put(connection, [str(uuid4()) for _ in range(5)], self.at(step))
                if self.subject.insert is _INSERT:
                    moved = sorted(self.committed)[step % 97 :: 97]
                    await connection.execute(
                        _MOVE, {"target": TARGET, "keys": moved, "at": self.at(step + 31)}
                    )
                    await connection.commit()
                self.rounds += 1


@asynccontextmanager
async def writing(written: Written) -> AsyncIterator[None]:
    writers = [asyncio.create_task(written.write_on(number)) for number in range(WRITERS)]
    try:
        yield
    finally:
        for writer in writers:
            writer.cancel()
        ended = await asyncio.gather(*writers, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


@pytest.fixture
async def api(seeded: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(seeded, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def filled(url: str, subject: Subject) -> Written:
    written = Written(url, subject)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        for number in range(BEFORE // 20):
            await written.put(connection, [str(uuid4()) for _ in range(20)], written.at(number))
    return written


@pytest.mark.parametrize("name", SUBJECTS)
async def test_what_was_there_comes_exactly_once(
    api: httpx.AsyncClient, seeded: Database, name: str
) -> None:
    subject = SUBJECTS[name]
    written = await filled(seeded.url, subject)
    async with writing(written):
        await until(lambda: written.rounds >= WRITERS)
        before = set(written.committed)
        begun = written.rounds
        seen = Counter[str]()
        async for page in pages(api, subject.path, limit=PAGE, **subject.query):
            seen.update(row[subject.key] for row in page)
        assert written.rounds - begun >= WRITERS, (
            "nothing was written meanwhile: this shows nothing"
        )
    assert [key for key in before if seen[key] != 1] == []
    assert [key for key, times in seen.items() if times > 1] == []


NAIVE_TIME = """
SELECT request_key, requested_at FROM token_usage_details
WHERE requested_at < %(at)s ORDER BY requested_at DESC LIMIT %(limit)s
"""
NAIVE_PLACE = """
SELECT request_key, requested_at FROM token_usage_details
WHERE (requested_at, request_key) < (%(at)s, %(key)s)
ORDER BY requested_at DESC, request_key DESC LIMIT %(limit)s
"""
NAIVE_OFFSET = """
SELECT request_key, requested_at FROM token_usage_details
ORDER BY requested_at DESC, request_key DESC LIMIT %(limit)s OFFSET %(offset)s
"""


async def naive(url: str, statement: str) -> Counter[str]:
    """Read all pages as a naive program would."""
    seen = Counter[str]()
    place: dict[str, Any] = {"at": datetime(9000, 1, 1, tzinfo=UTC), "key": "", "offset": 0}
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            cursor = await connection.execute(statement, {**place, "limit": PAGE})
            page = await cursor.fetchall()
            seen.update(key for key, _ in page)
            if len(page) < PAGE:
                return seen
            key, at = page[-1]
            place |= {"at": at, "key": key, "offset": place["offset"] + PAGE}


@pytest.mark.parametrize(
    ("statement", "loses"),
    [(NAIVE_TIME, True), (NAIVE_PLACE, True), (NAIVE_OFFSET, False)],
    ids=["by the time alone", "by a time that moves", "by counting"],
)
async def test_control_naive_pages_lose_or_double_rows(
    seeded: Database, statement: str, *, loses: bool
) -> None:
    written = await filled(seeded.url, SUBJECTS["requests"])
    lost: list[str] = []
    doubled: list[str] = []
    async with writing(written):
        for _ in range(10):
            before = set(written.committed)
            seen = await naive(seeded.url, statement)
            lost += [key for key in before if not seen[key]]
            doubled += [key for key, times in seen.items() if times > 1]
            if lost if loses else doubled:
                break
    assert lost if loses else doubled


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)
