"""A session's timeline by pages: each event and each request on one page, sums that go on from page to page, moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import psycopg
import pytest

from acd.core.timeline_rows import CurvePoint, TimelinePage
from acd.database.connection import Database
from acd.reports import timeline
from acd.reports.rows import row_of, rows_of

pytestmark = pytest.mark.extra

SESSION = UUID("50000000-0000-0000-0000-000000000005")
NOBODY = UUID(int=0)
BEGIN = datetime(2026, 3, 1, 15, tzinfo=UTC)
ROWS = """
INSERT INTO session_events (target_id, session_id, seq, kind, occurred_at, text)
SELECT target_id, id, n * 100, CASE WHEN n % 5 = 0 THEN 'retry' ELSE 'text' END, started_at + n * interval '10 s', 'n' || n
FROM harness_sessions, generate_series(1, 23) AS n WHERE session_number = 5;
DELETE FROM token_usage_details USING harness_sessions s WHERE s.session_number = 5 AND session_id = s.id;
INSERT INTO token_usage_details (target_id, request_key, session_id, model, input_tokens, output_tokens,
                                 cache_read_tokens, cache_write_tokens, cost_usd, requested_at)
SELECT target_id, 'k' || n, id, 'opus', n, 0, 0, 0, CASE WHEN n <> 4 THEN n * 0.001 END, started_at + n * interval '15 s' - interval '1 s'
FROM harness_sessions, generate_series(0, 20) AS n WHERE session_number = 5;
"""


@pytest.fixture
async def db(seeded: Database) -> Database:
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        await connection.execute(ROWS)
    return seeded


async def page_at(db: Database, after: int, limit: int = 4) -> TimelinePage:
    found = await timeline.page(db, SESSION, after_seq=after, limit=limit)
    assert found is not None
    return row_of(found, TimelinePage)


async def test_pages_hold_every_event_and_every_request_once(db: Database) -> None:
    after, events, requests = -1, list[str](), list[str]()
    while True:
        page = await page_at(db, after)
        assert page.before.requests == len(requests)
        assert page.before.tokens == sum(int(key[1:]) for key in requests)
        known = [int(key[1:]) for key in requests if key != "k4"]
        assert page.before.cost_usd == sum(known) * Decimal("0.001")
        events += [event.text for event in page.events]
        requests += [request.request_key for request in page.requests]
        if not page.more:
            break
        after = page.events[-1].seq
    assert events == [f"n{n}" for n in range(1, 24)]
    assert requests == [f"k{n}" for n in range(21)]


async def test_a_request_is_on_the_page_of_its_time(db: Database) -> None:
    page = await page_at(db, 400)  # events 5 to 8, of seconds 50 to 80; the next is at 90
    assert [request.request_key for request in page.requests] == ["k4", "k5", "k6"]
    assert page.requests[0].cost_usd is None


async def test_back_and_forth(db: Database) -> None:
    assert await timeline.place_before(db, SESSION, 800, limit=4) == 400
    assert await timeline.place_before(db, SESSION, 400, limit=4) == -1
    assert await timeline.place_before(db, SESSION, 2**62, limit=4) == 1900
    assert (await timeline.place_before(db, SESSION, 2**62, limit=2, kinds=("retry",))) == 1000


async def test_only_some_kinds(db: Database) -> None:
    found = await timeline.page(db, SESSION, limit=9, kinds=("retry", "limit"))
    assert found is not None
    page = row_of(found, TimelinePage)
    assert [event.text for event in page.events] == ["n5", "n10", "n15", "n20"]
    assert (page.requests, page.more) == ([], False)


async def test_a_moment_has_a_place(db: Database) -> None:
    at = BEGIN + timedelta(seconds=101)
    assert await timeline.place_at(db, SESSION, at) == (1100, 800)  # shown behind two others
    assert (await page_at(db, 800)).events[2].seq == 1100
    assert await timeline.place_at(db, SESSION, BEGIN - timedelta(days=1)) == (100, -1)
    assert await timeline.place_at(db, SESSION, BEGIN + timedelta(days=1)) == (2300, 2000)
    assert await timeline.place_at(db, NOBODY, at) is None


@pytest.mark.usefixtures("db")
async def test_nobody_knows_the_session(db: Database) -> None:
    assert await timeline.page(db, NOBODY, limit=4) is None
    assert rows_of(await timeline.curve(db, NOBODY), CurvePoint) == []
    assert await timeline.ending(db, NOBODY) == b"[]"


async def test_the_curve_ends_with_the_session_s_sums(db: Database) -> None:
    points = rows_of(await timeline.curve(db, SESSION), CurvePoint)
    assert points[-1].tokens == sum(range(21))
    assert points[-1].cost_usd == Decimal("0.206")
    assert [point.at for point in points] == sorted(point.at for point in points)
    assert all(a.tokens <= b.tokens for a, b in pairwise(points))


async def test_few_steps_for_many_requests(db: Database) -> None:
    async with await psycopg.AsyncConnection.connect(db.url) as connection:
        await connection.execute(
            "INSERT INTO token_usage_details (target_id, request_key, session_id, model, input_tokens, output_tokens, "
            "cache_read_tokens, cache_write_tokens, requested_at) SELECT target_id, 'm' || n, id, 'opus', 1, 0, 0, 0, "
            "started_at + n * interval '1 s' FROM harness_sessions, generate_series(1, 1000) AS n WHERE session_number = 5"
        )
    points = rows_of(await timeline.curve(db, SESSION), CurvePoint)
    assert len(points) <= 120
    assert points[-1].tokens == 1210
