"""The queue is told to pause, go on, drain and stop, and one session to end: at once, everywhere, also after an outage."""

from __future__ import annotations

import asyncio
import json
import sys
from uuid import uuid4

import httpx
import msgspec
import psycopg
import pytest

from acd.core.environment import load_settings
from acd.database.connection import Database, open_database
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import controller_of, running, told, until
from tests.integration.reports.test_api_server import Cable

pytestmark = pytest.mark.extra  # real runs, some seconds each

NAP = {"do": "sleep", "seconds": 0.5}
LONG = {"sessions": [{"steps": [{"do": "say"}, {"do": "sleep", "seconds": 60}]}]}
WORK = {"sessions": [{"steps": [NAP, {"do": "feature"}]}]}
AT_ONCE_S = 15
"""Far less than a session of `LONG` takes, and far more than an order needs on a busy machine."""


def prepare(place: Place, **scenarios: object) -> None:
    for name in scenarios:
        place.repository(name, ["F1", "F2", "F3"])
    place.write_scenario(**scenarios)  # type: ignore[arg-type]
    place.write_queue(*({"id": name} for name in scenarios))


async def test_a_paused_queue_begins_nothing_until_it_is_resumed(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    prepare(place, a=WORK, b=WORK)
    seen = Seen()
    async with running(database, place, seen, concurrency=2) as run:
        await until(lambda: place.rows("SELECT id FROM harness_sessions WHERE status = 'running'"))
        assert await told(controller, "pause") == "paused"
        await until(lambda: any("paused" in message for message in seen.messages))
        await until(lambda: len(seen.ended) == len(seen.started))
        begun = len(seen.started)
        assert {outcome.status for _, outcome in seen.ended} == {"completed"}
        await asyncio.sleep(2)
        assert len(seen.started) == begun < 6
        assert not run.done(), "it waits, for there is something to do"
        assert await told(controller, "resume") == "running"
        result = await asyncio.wait_for(run, 60)
    assert (result.ended_by, result.completed) == ("done", 6)
    place.assert_recorded()


async def test_a_pause_is_for_who_begins_later_too(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    prepare(place, a=WORK)
    await told(controller, "pause")
    seen = Seen()
    async with running(database, place, seen) as run:
        await until(lambda: any("paused" in message for message in seen.messages))
        await asyncio.sleep(1)
        assert (seen.started, run.done()) == ([], False)
        await told(controller, "resume")
        assert (await asyncio.wait_for(run, 60)).completed == 3


async def test_a_drained_queue_ends_when_its_sessions_have(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    prepare(place, a=WORK, b=WORK)
    seen = Seen()
    async with running(database, place, seen, concurrency=2) as run:
        await until(lambda: seen.requests or seen.progressed)
        assert await told(controller, "drain") == "draining"
        result = await asyncio.wait_for(run, AT_ONCE_S)
    assert result.ended_by == "stopped"
    assert result.failed == 0
    assert 1 <= result.completed < 6
    place.assert_recorded()
    async with running(
        database, place, Seen(), concurrency=2
    ) as again:  # the order was for those before
        assert (await asyncio.wait_for(again, 60)).ended_by == "done"
    state = place.rows("SELECT state FROM queue_control")
    assert state == [{"state": "running"}]


async def test_a_stopped_queue_ends_its_sessions_in_order(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    prepare(place, a=LONG, b=LONG)
    seen = Seen()
    async with running(database, place, seen, concurrency=2) as run:
        await until(lambda: len(place.rows("SELECT id FROM harness_sessions")) == 2)
        assert await told(controller, "stop") == "stopping"
        result = await asyncio.wait_for(run, AT_ONCE_S)
    assert (result.ended_by, result.failed) == ("stopped", 2)
    rows = place.sessions("a") + place.sessions("b")
    assert {(row["status"], row["error_type"]) for row in rows} == {("failed", "interrupted")}
    place.assert_recorded()


async def test_one_session_can_be_stopped(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    prepare(place, a={"sessions": [*LONG["sessions"], {"steps": [{"do": "feature"}]}]}, b=LONG)
    seen = Seen()
    async with running(database, place, seen, concurrency=2):
        await until(lambda: len(place.rows("SELECT id FROM harness_sessions")) == 2)
        (session,) = place.sessions("a")
        answer = await controller.post(f"/api/db/sessions/{session['id']}/stop")
        assert answer.status_code == 200
        told_once = answer.json()["data"]
        assert (told_once["id"], told_once["status"]) == (str(session["id"]), "running")
        again = await controller.post(f"/api/db/sessions/{session['id']}/stop")
        if again.status_code == 200:  # unless it has ended already
            assert again.json()["data"] == told_once
        await until(lambda: place.sessions("a")[0]["status"] == "failed", AT_ONCE_S)
        assert place.sessions("a")[0]["error_type"] == "interrupted"
        assert place.sessions("b")[0]["status"] == "running"
        answer = await controller.post(f"/api/db/sessions/{session['id']}/stop")
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "not_running"
        await until(lambda: place.target("a")["passing_features"] == 1)  # its target goes on


async def test_what_cannot_be_stopped_is_said(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    assert (await controller.post(f"/api/db/sessions/{uuid4()}/stop")).status_code == 404
    assert (await controller.post("/api/db/sessions/nothing/stop")).status_code == 422
    assert (await controller.post("/api/queue/explode")).status_code == 422
    target, session = uuid4(), uuid4()
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO targets (id, repo_id, name, path) VALUES (%s, 'a', 'A', '/a')", [target]
        )
        connection.execute(
            "INSERT INTO harness_sessions (target_id, id, session_type, origin, agent, agent_session_id, model, "
            "status, started_at) VALUES (%s, %s, 'coding', 'api', 'x', 's', 'opus', 'running', now())",
            [target, session],
        )
    answer = await controller.post(f"/api/db/sessions/{session}/stop")
    assert answer.status_code == 409
    assert "Another program" in answer.json()["error"]["message"]


DRIVER = """
import asyncio, json, sys
from acd.core.environment import load_settings
from acd.database.connection import open_database
from acd.queue.observer import LogObserver
from acd.queue.orchestrator import RunOptions, work_queue, worker

async def main():
    settings = load_settings(**json.loads(sys.argv[2]))
    work = {"run": work_queue, "worker": worker}[sys.argv[1]]
    async with open_database(settings, application="driver") as db:
        result = await work(db, settings, RunOptions(), observer=LogObserver())
    print(result.ended_by, flush=True)

asyncio.run(main())
"""


async def begin(what: str, settings: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", DRIVER, what, json.dumps(settings), stdout=asyncio.subprocess.PIPE
    )


async def end(process: asyncio.subprocess.Process) -> str:
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    return output.decode().strip()


async def test_workers_of_other_machines_are_told_too(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    """They share nothing but the database: another ACD_HOME, another process."""
    prepare(place, a=LONG, b=LONG)
    elsewhere = place.changed_settings | {"home": str(place.folder / "elsewhere")}
    process = await begin("worker", elsewhere)
    try:
        async with running(database, place, Seen(), concurrency=1) as run:
            query = "SELECT id FROM harness_sessions WHERE status = 'running'"
            await until(lambda: len(place.rows(query)) == 2)
            await told(controller, "stop")
            assert (await asyncio.wait_for(run, AT_ONCE_S)).ended_by == "stopped"
    finally:
        assert await end(process) == "stopped"
    rows = place.sessions("a") + place.sessions("b")
    assert {row["error_type"] for row in rows} == {"interrupted"}


async def test_a_session_is_stopped_by_the_machine_that_adopted_it(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    prepare(place, a=LONG)
    killed = await begin("run", place.changed_settings)
    try:
        await until(lambda: place.rows("SELECT id FROM harness_sessions WHERE request_count > 0"))
    finally:
        killed.kill()
        await killed.communicate()
    seen = Seen()
    async with running(database, place, seen):
        await until(lambda: place.rows("SELECT 1 FROM session_events WHERE kind = 'adopted'"))
        (session,) = place.sessions("a")
        answer = await controller.post(f"/api/db/sessions/{session['id']}/stop")
        assert answer.status_code == 200
        await until(lambda: place.sessions("a")[0]["status"] == "failed", AT_ONCE_S)
    assert place.sessions("a")[0]["error_type"] == "interrupted"


async def test_an_order_reaches_who_was_cut_off_when_it_was_given(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    """It was overtaken by two more meanwhile, and still counts."""
    prepare(place, a=LONG)
    cable = Cable(database.url)
    await cable.plug_in()
    through = msgspec.structs.replace(place.settings, database_url=cable.url)
    seen = Seen()
    try:
        async with open_database(through, application="acd test") as cut:
            there = Place.__new__(Place)
            there.__dict__.update(place.__dict__, settings=through)
            async with running(cut, there, seen) as run:
                await until(lambda: place.rows("SELECT id FROM harness_sessions"))
                await cable.pull_out()
                await told(controller, "stop")
                await told(controller, "pause")
                await told(controller, "resume")
                await cable.plug_in()
                assert (await asyncio.wait_for(run, 40)).ended_by == "stopped"
    finally:
        await cable.pull_out()


async def test_orders_of_many_at_once_are_all_counted(database: Database, place: Place) -> None:
    settings = load_settings({}, home=place.settings.home)
    async with controller_of(database, settings) as client:
        orders = ["pause", "resume", "drain", "stop"] * 6
        await asyncio.gather(*(told(client, order) for order in orders))
    (row,) = place.rows("SELECT * FROM queue_control")
    assert row["orders"] == len(orders)
    assert 0 < row["drain_order"] <= 24
    assert 0 < row["stop_order"] <= 24
