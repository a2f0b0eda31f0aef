"""Priority and enabled through the API: in the file, in the table, in the turns that wait, in the run that goes on."""

from __future__ import annotations

import asyncio
import json

import httpx
import psycopg
import pytest

from acd.core.errors import DatabaseAway
from acd.core.models import target_id_of
from acd.database.connection import Database
from acd.queue.changes import change_target
from acd.queue.sync import sync
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import running, told, until

pytestmark = pytest.mark.extra  # real runs, some seconds each

NAP = {"sessions": [{"steps": [{"do": "sleep", "seconds": 0.5}, {"do": "feature"}]}]}


async def put(client: httpx.AsyncClient, path: str, **body: object) -> httpx.Response:
    return await client.put(f"/api/targets/{path}", json=body)


@pytest.fixture
async def synced(database: Database, place: Place) -> Place:
    for name in ("a", "b", "c"):
        place.repository(name, ["F1", "F2"])
    place.write_scenario(**dict.fromkeys(("a", "b", "c"), NAP))
    place.write_queue({"id": "a", "priority": "P1"}, {"id": "b", "priority": 2}, {"id": "c"})
    await sync(database, place.settings)
    return place


async def test_a_priority_is_changed_in_file_and_table(
    synced: Place, controller: httpx.AsyncClient
) -> None:
    before = synced.queue.read_text()
    answer = await put(controller, "update-priority", repoId="a", newPriority=7)
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "success": True,
        "repoId": "a",
        "newPriority": 7,
        "enabled": True,
        "inQueueFile": True,
    }
    assert synced.queue.read_text() == before.replace('"P1"', '"P7"')
    assert synced.target("a")["priority"] == 7
    assert synced.target("b")["priority"] == 2


async def test_a_target_is_disabled_and_enabled(
    database: Database, synced: Place, controller: httpx.AsyncClient
) -> None:
    for enabled, status in ((False, "paused"), (False, "paused"), (True, "pending")):
        answer = await put(controller, "toggle-enabled", repoId="b", enabled=enabled)
        assert answer.json()["data"]["enabled"] is enabled
        assert (synced.target("b")["enabled"], synced.target("b")["status"]) == (enabled, status)
        entry = json.loads(synced.queue.read_text())["repos"][1]
        assert entry["enabled"] is enabled
        assert (await sync(database, synced.settings)).summary.changed == 0, "file and table agree"


async def test_a_run_takes_a_change_up_at_once(
    database: Database, synced: Place, controller: httpx.AsyncClient
) -> None:
    """The last in the queue becomes the first, and one of them is to have no session at all."""
    await told(controller, "pause")
    seen = Seen()
    async with running(database, synced, seen) as run:
        await until(lambda: any("paused" in message for message in seen.messages))
        await put(controller, "update-priority", repoId="c", newPriority=-5)
        await put(controller, "toggle-enabled", repoId="a", enabled=False)
        await until(lambda: any("taken up" in message for message in seen.messages))
        await told(controller, "resume")
        result = await asyncio.wait_for(run, 60)
    assert result.ended_by == "done"
    assert [plan.target.repo_id for plan in seen.started] == ["c", "c", "b", "b"]


async def test_turns_that_wait_are_changed_without_a_run(
    database: Database, synced: Place, controller: httpx.AsyncClient
) -> None:
    """A run has gone and left turns; who works them next finds them as they were changed."""
    await told(controller, "pause")
    seen = Seen()
    async with running(database, synced, seen):
        await until(lambda: any("paused" in message for message in seen.messages))
        jobs = "SELECT lock, priority FROM acd_queue.procrastinate_jobs ORDER BY lock"
        await until(lambda: len(synced.rows(jobs)) == 3)
        await told(controller, "stop")
    await put(controller, "update-priority", repoId="c", newPriority=-5)
    await put(controller, "toggle-enabled", repoId="a", enabled=False)
    found = {row["lock"]: row["priority"] for row in synced.rows(jobs)}
    assert found == {str(target_id_of("b")): -2, str(target_id_of("c")): 5}


async def test_a_target_of_no_queue_file_is_changed_in_the_table(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO targets (id, repo_id, name, path) VALUES (%s, 'api', 'A', '/a')",
            [target_id_of("api")],
        )
    answer = await put(controller, "update-priority", repoId="api", newPriority=1)
    assert answer.json()["data"]["inQueueFile"] is False
    assert place.target("api")["priority"] == 1
    assert place.target("api")["queue_file"] is None


async def test_what_cannot_be_changed_is_said(
    database: Database, synced: Place, controller: httpx.AsyncClient
) -> None:
    assert (await put(controller, "update-priority", repoId="x", newPriority=1)).status_code == 404
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE targets SET queue_file = 'builder:/srv/queue.json' WHERE repo_id = 'a'"
        )
    answer = await put(controller, "toggle-enabled", repoId="a", enabled=False)
    assert answer.status_code == 409
    assert answer.json()["error"]["host"] == "builder"
    assert synced.target("a")["enabled"]
    synced.write_queue({"id": "a"})
    answer = await put(controller, "toggle-enabled", repoId="b", enabled=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_in_file")
    synced.queue.write_text("{")
    answer = await put(controller, "toggle-enabled", repoId="b", enabled=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "config")
    assert synced.target("b")["enabled"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("update-priority", {"repoId": "a"}, "newPriority"),
        ("update-priority", {"newPriority": 1}, "repoId"),
        ("update-priority", {"repoId": "a", "newPriority": "1"}, "newPriority"),
        ("update-priority", {"repoId": "a", "newPriority": 1.5}, "newPriority"),
        ("update-priority", {"repoId": "a", "newPriority": True}, "newPriority"),
        ("update-priority", {"repoId": "a", "newPriority": 10**9}, "newPriority"),
        ("update-priority", {"repoId": "", "newPriority": 1}, "repoId"),
        ("update-priority", {"repoId": ["a"], "newPriority": 1}, "repoId"),
        ("toggle-enabled", {"repoId": "a", "enabled": "yes"}, "enabled"),
        ("toggle-enabled", {"repoId": "a", "enabled": 1}, "enabled"),
        ("toggle-enabled", {"repoId": "a" * 201, "enabled": True}, "repoId"),
    ],
)
async def test_a_bad_value_is_named(
    controller: httpx.AsyncClient, path: str, body: dict[str, object], field: str
) -> None:
    answer = await put(controller, path, **body)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


@pytest.mark.parametrize("repo_id", ['"\\u0000"', '"\\ud800"', '"a\\u0000b"', '"\\uffff"'])
async def test_text_that_nobody_can_hold_is_refused(
    controller: httpx.AsyncClient, repo_id: str
) -> None:
    answer = await controller.put(
        "/api/targets/update-priority",
        content=f'{{"repoId": {repo_id}, "newPriority": 1}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in (404, 422)


async def test_without_a_database_nothing_is_changed(database: Database, synced: Place) -> None:
    before = synced.queue.read_bytes()
    await database.close()
    with pytest.raises(DatabaseAway):
        await change_target(database, synced.settings, "a", "priority", 3)
    assert synced.queue.read_bytes() == before


async def test_changes_of_many_at_once_are_all_in_the_file(
    synced: Place, controller: httpx.AsyncClient
) -> None:
    changes = [
        *(
            put(controller, "update-priority", repoId=name, newPriority=n)
            for name in "abc"
            for n in range(5)
        ),
        *(put(controller, "toggle-enabled", repoId=name, enabled=False) for name in "abc"),
    ]
    answers = await asyncio.gather(*changes)
    assert {answer.status_code for answer in answers} == {200}
    entries = json.loads(synced.queue.read_text())["repos"]
    assert [entry["enabled"] for entry in entries] == [False] * 3
    for entry in entries:
        row = synced.target(entry["id"])
        assert (row["enabled"], f"P{row['priority']}") == (
            False,
            f"P{str(entry['priority']).removeprefix('P')}",
        )
