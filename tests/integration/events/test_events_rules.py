"""What the stream promises beside: filters, ends, cursors, outages, and readers that cost nobody anything."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from acd.core.environment import load_settings
from acd.core.queue_rows import SyncSummary
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.queue.sync import SyncResult
from acd.server import create_app, serve
from acd.web.live import Live
from tests.integration.events.conftest import (
    Event,
    Reader,
    assert_told_once,
    play_session,
    recorded,
)
from tests.integration.ledger.stage import select
from tests.integration.reports.test_api_server import Cable
from tests.integration.serving import serving

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def begun(address: str, **params: str) -> Reader:
    """A reader that begins with now."""
    reader = Reader(address, params)
    await reader.read_bytes(1)
    if reader.last_id is None:
        await reader.read_up_to_now()
    return reader


async def test_events_come_as_they_happen(
    database: Database, settings: Settings, address: str
) -> None:
    reader = await begun(address)
    async with reader.connected() as answer:
        first = asyncio.create_task(_next(reader, answer))
        await play_session(settings, database)
        began = time.monotonic()
        event = await asyncio.wait_for(first, 20)
        assert time.monotonic() - began < 10
    assert event.name == "started"
    assert event.data["target"] == {"name": "Shop", "repoId": "shop"}
    assert event.data["session"]["agent"] == "claude-code"
    assert event.data["session"]["sessionType"] == "coding"


async def _next(reader: Reader, answer: httpx.Response) -> Event:
    async for event in reader.follow(answer):
        return event
    raise AssertionError("the stream ended")


async def test_what_each_event_tells(database: Database, settings: Settings, address: str) -> None:
    reader = await begun(address)
    session = await play_session(settings, database)
    await reader.read_up_to_now()
    by_name: dict[str, dict[str, Any]] = {event.name: event.data for event in reader.seen}
    assert {each["sessionId"] for each in by_name.values()} == {session}
    assert by_name["progress"]["toolName"] == "Bash"
    assert by_name["request"]["request"]["model"] == "claude-sonnet-5-5"
    assert by_name["request"]["request"]["costUsd"] > 0
    assert by_name["feature"]["text"] == "F1"
    assert by_name["commit"]["text"].endswith("Add a cart")
    assert by_name["error"]["text"] == "line one\nline two"
    assert by_name["limit"]["text"].startswith("five_hour")
    ended = by_name["ended"]["session"]
    assert (ended["status"], ended["requestCount"]) == ("failed", 2)
    assert ended["totalTokens"] == 2 * 3 + 11 + 13
    assert (await reader.read_up_to_now()).data == {"reason": "until"}


async def test_one_target_can_be_followed(
    database: Database, settings: Settings, address: str
) -> None:
    await play_session(settings, database, repo_id="org/tool")
    reader = await begun(address, repoId="org/tool")
    await play_session(settings, database, repo_id="shop")
    session = await play_session(settings, database, repo_id="org/tool")
    await reader.read_up_to_now()
    assert set(reader.by_session) == {session}
    assert [event.name for event in reader.seen].count("ended") == 1


async def test_the_end_of_a_stream_can_be_given(address: str) -> None:
    reader = await begun(address)
    at = datetime.now(UTC) + timedelta(seconds=1)
    async with reader.connected(until=at.isoformat()) as answer:
        events = [event async for event in reader.follow(answer)]
    assert [event.data for event in events] == [{"reason": "until"}]
    assert datetime.now(UTC) >= at


async def get(address: str, last_event_id: str | None = None, **params: str) -> httpx.Response:
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    async with httpx.AsyncClient(base_url=address) as client:
        past = {"until": "2000-01-01T00:00:00"}
        return await client.get("/api/events", params=past | params, headers=headers)


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "bad",
    [
        "x",
        "7",
        "ä" * 3,
        "!!!!",
        packed([]),
        packed({}),
        packed("a"),
        packed(["a", 1, 1, 0]),
        packed(["a", 1, 1, 0, "b", 1]),
        packed(["a", -1, 1, 0, "b"]),
        packed(["a", 2**64, 1, 0, "b"]),
        packed(["a", 1, 2**63, 0, "b"]),
        packed(["a", 1, 1, 2, "b"]),
        packed(["a", "1", 1, 0, "b"]),
        packed(["a", 1, 1, 0, "\0"]),
        packed(["a", 1, 1, 0, "\ud800"]),
        packed(["a", 10**400, 1, 0, ""]),
    ],
)
async def test_an_id_that_is_none_is_400(address: str, bad: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/api/events", headers=[(b"Last-Event-ID", bad.encode())])
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "Last-Event-ID"


async def test_an_id_of_another_database_is_410(
    database: Database, empty_database_url: str, settings: Settings, address: str
) -> None:
    reader = await begun(address)
    other = Settings(home=settings.home, database_url=empty_database_url)
    async with (
        open_database(other, application="test") as another,
        serving(another, other) as there,
    ):
        answer = await get(there, reader.last_id)
        assert answer.status_code == 410
        assert answer.json()["error"]["code"] == "gone"
        assert (await get(there)).status_code == 200
    assert (await get(address, reader.last_id)).status_code == 200


async def test_a_target_that_is_not_there_is_404(address: str) -> None:
    assert (await get(address, repoId="nobody")).status_code == 404
    assert (await get(address, until="soon")).status_code == 422


async def test_the_role_need_not_be_a_superuser(database: Database) -> None:
    """What names the database is asked of the server's control file."""
    rows = await select(
        database,
        "SELECT has_function_privilege('pg_read_all_data', 'pg_control_system()', 'execute') AS may",
    )
    assert rows == [{"may": True}]


async def test_readers_are_told_when_the_server_stops(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acd.server.GRACE_S", 600)  # whoever waited for its end would be seen
    events = []
    async with asyncio.timeout(60):
        async with serving(database, settings) as address:
            readers = [Reader(address) for _ in range(5)]
            connected = asyncio.Semaphore(0)

            async def follow(reader: Reader) -> None:
                async with reader.connected() as answer:
                    connected.release()
                    events.extend([event async for event in reader.follow(answer)])

            following = [asyncio.create_task(follow(reader)) for reader in readers]
            for _ in readers:
                await connected.acquire()
        await asyncio.gather(*following)
    assert [event.data for event in events] == [{"reason": "stopped"}] * 5


async def test_an_answer_under_way_is_finished_when_the_server_stops(
    database: Database, settings: Settings
) -> None:
    """A reader of the live stream and a slow answer: the one is told, the other is waited for."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow_sync(_db: Database, _settings: Settings) -> SyncResult:
        begun.set()
        await may_end.wait()
        return SyncResult(SyncSummary(*[0] * 9), ["slow"])

    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    at_any_port = load_settings({}, home=settings.home, port=0)
    server = asyncio.create_task(
        serve(database, at_any_port, sync=slow_sync, ready=address.set_result)
    )
    url = await address
    reader = Reader(url)
    async with httpx.AsyncClient(base_url=url) as client, reader.connected() as answer:
        asked = asyncio.create_task(client.post("/api/db/targets/sync"))
        await begun.wait()
        server.cancel()
        assert [event.data async for event in reader.follow(answer)] == [{"reason": "stopped"}]
        assert not server.done()
        may_end.set()
        assert (await asked).json()["data"]["warnings"] == ["slow"]
    with pytest.raises(asyncio.CancelledError):
        await server


async def test_one_ear_for_all_readers_and_none_without(
    database: Database, settings: Settings
) -> None:
    app = create_app(database, load_settings({}, home=settings.home))
    live: Live = app.state.parts.live
    listening = (
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() "
        "AND query LIKE 'LISTEN%%'"
    )
    async with live.reading():
        async with asyncio.timeout(20):
            while (await select(database, listening))[0]["n"] != 1:
                await asyncio.sleep(0.05)
        async with live.reading(), live.reading():
            assert live.readers == 3
            assert (await select(database, listening))[0]["n"] == 1
    assert live.readers == 0
    async with asyncio.timeout(20):
        while (await select(database, listening))[0]["n"] != 0:
            await asyncio.sleep(0.05)


async def test_readers_that_go_are_gone(database: Database, settings: Settings) -> None:
    app = create_app(database, load_settings({}, home=settings.home))
    live: Live = app.state.parts.live
    sent = asyncio.Event()
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            sent.set()

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": "/api/events", "raw_path": b"/api/events", "query_string": b"", "root_path": "", "scheme": "http",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 3434),
    }  # fmt: skip
    answering = asyncio.create_task(app(scope, receive, send))
    await sent.wait()
    await until(lambda: live.readers == 1)
    gone.set()
    await asyncio.wait_for(answering, 10)
    assert live.readers == 0


async def test_a_reader_that_does_not_read_slows_no_writer_and_misses_nothing(
    database: Database, settings: Settings, address: str
) -> None:
    """It stops reading with its buffers full; writers go on, and it finds everything later."""
    slow = await begun(address)
    async with slow.connected() as stuck:
        chunks = stuck.aiter_raw()
        await play_session(settings, database, lines=1)
        await anext(chunks)
        alone = await _seconds(settings, database)
        for _ in range(15):
            await play_session(settings, database, lines=20)
        assert await _seconds(settings, database) < 10 * alone + 1
    timeline, owners = await recorded(database)
    await slow.read_up_to_now()
    assert_told_once(slow, timeline, owners)


async def _seconds(settings: Settings, database: Database) -> float:
    began = time.monotonic()
    await play_session(settings, database, lines=20, settle=False)
    return time.monotonic() - began


async def test_an_outage_is_sat_out(database: Database, settings: Settings) -> None:
    cable = Cable(database.url)
    await cable.plug_in()
    through = load_settings({}, home=settings.home, database_url=cable.url)
    try:
        async with (
            open_database(through, application="acd test") as cut,
            serving(cut, through) as address,
        ):
            reader = await begun(address)
            async with reader.connected() as answer:
                following = asyncio.create_task(_collect(reader, answer))
                await play_session(settings, database)
                await until(lambda: [e for e in reader.seen if e.name == "ended"])
                await cable.pull_out()
                await until(lambda: "the database is away" in reader.comments)
                session = await play_session(settings, database)
                assert session not in reader.by_session
                refused = await get(address)
                assert refused.status_code == 503
                await cable.plug_in()
                await until(lambda: [e for e in reader.seen if e.name == "ended"][1:])
            following.cancel()
    finally:
        await cable.pull_out()
    timeline, owners = await recorded(database)
    assert_told_once(reader, timeline, owners)


async def _collect(reader: Reader, answer: httpx.Response) -> None:
    async for _ in reader.follow(answer):
        pass
