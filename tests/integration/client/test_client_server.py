"""Both clients against the real server: every reading call, pages, exports, events, errors, outages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from acd.client import AsyncClient, Call, Client, Event, Retry, calls, control
from acd.core.errors import ServerAway, ServerError
from acd.core.figures import CostSum
from acd.core.settings import Settings
from acd.core.usage_rows import Asked
from acd.database.connection import Database
from acd.reports import stream
from tests.integration.serving import put_seed, serving, settled

SEVENTH = UUID("50000000-0000-0000-0000-000000000007")
DEADLINE_S = 60
ONCE = Retry(attempts=1)


@pytest.fixture
async def server(database: Database, settings: Settings) -> AsyncIterator[str]:
    put_seed(database.url)
    async with serving(database, settings) as address:
        yield address


CALLS: dict[str, tuple[Call[Any], Callable[[Any], object], object]] = {
    "health": (calls.health(), lambda found: found.status, "ok"),
    "glance": (calls.glance(), lambda found: found.pending.folders, 0),
    "targets": (calls.targets(enabled=False), lambda found: [t.repo_id for t in found], ["docs"]),
    "summary": (calls.summary(), lambda found: found.total_cost_usd, Decimal("0.2800004")),
    "earlier_status": (
        calls.earlier_status(),
        lambda found: found.summary.overall_complete,
        "60.0",
    ),
    "queue": (calls.queue(), lambda found: [one.id for one in found.running], [SEVENTH]),
    "session": (calls.session(SEVENTH), lambda found: found.requests_by_model[0].requests, 1),
    "session_meant": (calls.session_meant("shop-api#7"), lambda found: found.id, SEVENTH),
    "last_events": (
        calls.last_events(SEVENTH, limit=1),
        lambda found: [e.seq for e in found],
        [30],
    ),
    "model_usage": (calls.model_usage(days=3660), lambda found: found.unpriced_requests, 1),
    "usage_by_target": (
        calls.usage_by_target(days=3660),
        lambda found: [one.target.repo_id for one in found],
        ["shop-api", "org/tool"],
    ),
    "snapshots": (calls.snapshots(days=3660), lambda found: len(found) > 0, True),
    "features": (calls.features("shop-api"), lambda found: found[0].feature_key, "login"),
    "recent_commits": (calls.recent_commits(), lambda found: [c.sha for c in found], ["c2", "c1"]),
    "report": (calls.report("cost", CostSum), lambda found: found.total.requests, 9),
    "cost_over_time": (
        calls.cost_over_time(split_by="target"),
        lambda found: [part.key for part in found.rows],
        ["shop-api", "org/tool"],
    ),
    "cost_by_hour": (
        calls.cost_by_hour(first=date(2026, 2, 1), repo_id="org/tool"),
        lambda found: [(row.weekday, row.hour) for row in found.rows],
        [(7, 8)],
    ),
    "model_comparison": (
        calls.model_comparison(first=date(2026, 2, 1), same_targets=False),
        lambda found: [(one.model, one.success_rate.value) for one in found.models],
        [("opus", 0.8)],
    ),
    "usage": (
        calls.usage("agent", Asked(days=3660, timezone="UTC")),
        lambda found: [row.key for row in found.rows],
        ["scripted", "claude-code"],
    ),
    "costs": (
        calls.costs(Asked(days=3660)),
        lambda found: [one.error_type for one in found.total.errors],
        ["overloaded"],
    ),
    "surviving_lines": (
        calls.surviving_lines("shop-api", Asked(days=3660)),
        lambda found: (found.head, "not on this machine" in found.reason),
        (None, True),
    ),
    "blocks": (calls.blocks(Asked(days=3660)), lambda found: found.total.requests, 9),
    "metrics": (calls.metrics(), lambda found: b"acd_tokens_total{" in found, True),
    "export": (calls.export("commits"), lambda found: found.count(b"\n"), 3),
}


@pytest.mark.parametrize("name", CALLS)
async def test_every_call_whose_answer_is_whole(server: str, name: str) -> None:
    call, part, expected = CALLS[name]
    async with AsyncClient(server) as client:
        found = await client.send(call)
        assert part(found) == expected
    with Client(server) as waiting:
        assert part(await asyncio.to_thread(waiting.send, call)) == expected


async def test_rows_of_all_pages(server: str) -> None:
    async with AsyncClient(server) as client:
        numbers = [row.session_number async for row in client.rows(calls.sessions(limit=3))]
        requests = [row.request_key async for row in client.rows(calls.requests(limit=2))]
        seqs = [row.seq async for row in client.rows(calls.events(SEVENTH, limit=2))]
        errors = [row.id async for row in client.rows(calls.errors(resolved="all", limit=1))]
        commits = [row.sha async for row in client.rows(calls.commits("shop-api", limit=1))]
    assert numbers == [7, 6, 5, 4, 3, 2, 1, None]
    assert len(requests) == len(set(requests)) == 9
    assert seqs == [10, 20, 30]
    assert len(set(errors)) == 3
    assert commits == ["c2", "c1"]
    with Client(server) as waiting:
        again = await asyncio.to_thread(lambda: list(waiting.rows(calls.sessions(limit=3))))
    assert [row.session_number for row in again] == numbers


async def test_every_refusal_is_an_error_with_its_words(server: str) -> None:
    async with AsyncClient(server, retry=ONCE) as client:
        with pytest.raises(ServerError) as raised:
            await client.send(calls.session(UUID(int=1)))
        assert (raised.value.status, raised.value.code) == (404, "not_found")
        with pytest.raises(ServerError) as raised:
            await client.send(calls.sessions(limit=5000))
        assert (raised.value.status, raised.value.field) == (422, "limit")
        with pytest.raises(ServerError) as raised:
            await client.send(calls.session_meant("5000"))
        assert (raised.value.status, raised.value.code) == (409, "ambiguous")


async def test_control_needs_the_token(server: str, settings: Settings, database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        (error_id,) = connection.execute(
            "SELECT id FROM harness_errors WHERE NOT resolved"
        ).fetchone() or (None,)
    assert isinstance(error_id, UUID)
    async with AsyncClient(server, token="wrong", retry=ONCE) as client:
        with pytest.raises(ServerError) as raised:
            await client.send(control.resolve_error(error_id))
        assert (raised.value.status, raised.value.code) == (401, "unauthorized")
    token = (settings.home / "token").read_text().strip()
    async with AsyncClient(server, token=token, retry=ONCE) as client:
        assert (await client.send(control.resolve_error(error_id))).resolved
        assert (await client.send(control.pause_queue())).state == "paused"
        assert (await client.send(calls.queue())).state == "paused"
        assert (await client.send(control.resume_queue())).state == "running"
        with pytest.raises(ServerError) as raised:
            await client.send(control.set_enabled("nobody", False))
        assert raised.value.status == 404


async def test_exports_come_in_parts(server: str) -> None:
    async with AsyncClient(server) as client:
        parts = [part async for part in client.stream(calls.export("usage", form="jsonl"))]
        assert b"".join(parts).count(b"\n") == 9
        with pytest.raises(ServerError) as raised:
            _ = [part async for part in client.stream(calls.export("usage", form="xml"))]  # type: ignore[arg-type]
        assert raised.value.field == "format"


async def test_events_are_followed_over_a_server_that_starts_again(
    database: Database, settings: Settings
) -> None:
    put_seed(database.url)
    await settled(database)  # else the seed is told, too
    seen: list[Event] = []
    async with serving(database, settings) as address:
        port = int(address.rpartition(":")[2])
        client = AsyncClient(address, retry=Retry(attempts=200, longest_s=0.2))
        following = asyncio.create_task(_follow(client, seen))
        # A connection is not enough: the stream begins when the request is answered, which is before its ear opens.
        await _until(lambda: _ears(database.url) > 0)
        await asyncio.to_thread(_tell, database.url, 1000)
        await _until(lambda: len(seen) == 1)
    # Nobody listens now: what happens meanwhile is told by the next server.
    await asyncio.to_thread(_tell, database.url, 1001)
    async with serving(database, settings, port=port):
        await _until(lambda: len(seen) == 2)
        following.cancel()
    await client.close()
    assert [event.name for event in seen] == ["progress", "progress"]
    assert len({event.id for event in seen}) == 2


async def _follow(client: AsyncClient, seen: list[Event]) -> None:
    async for event in client.follow():
        seen.append(event)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.02)


def _ears(url: str) -> int:
    """Connections that listen for the live stream."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = %s",
            (f'LISTEN "{stream.CHANNEL}"',),
        ).fetchone()
    return row[0] if row else 0


def _tell(url: str, seq: int) -> None:
    """Record an event of a session, as the ledger does: with news of it."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO session_events (target_id, session_id, seq, kind, tool_name) "
            "SELECT target_id, id, %s, 'tool_called', 'Bash' FROM harness_sessions WHERE id = %s",
            (seq, SEVENTH),
        )
        connection.execute("NOTIFY acd_events")


async def test_a_server_that_comes_back_is_waited_for(
    database: Database, settings: Settings
) -> None:
    async with serving(database, settings) as address:
        port = int(address.rpartition(":")[2])
    async with AsyncClient(address, retry=ONCE) as client:
        with pytest.raises(ServerAway) as raised:
            await client.send(calls.summary())
        assert raised.value.code == "unreachable"
    async with AsyncClient(address, retry=Retry(attempts=500, longest_s=0.1)) as client:
        asking = asyncio.create_task(client.send(calls.summary()))
        await asyncio.sleep(0.3)
        assert not asking.done()
        async with serving(database, settings, port=port):
            assert (await asyncio.wait_for(asking, DEADLINE_S)).total_targets == 0


async def test_a_database_that_is_away_is_told_as_that(
    database: Database, settings: Settings
) -> None:
    async with serving(database, settings) as address:
        await database.close()
        async with AsyncClient(address, retry=ONCE) as client:
            with pytest.raises(ServerAway) as raised:
                await client.send(calls.summary())
            assert (raised.value.status, raised.value.code) == (503, "database_away")
