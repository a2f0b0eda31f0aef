"""Another try for a target: its failures are forgotten, its turn is due at once, in the run that goes on."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from acd.core.models import target_id_of
from acd.database.connection import Database
from acd.queue.sync import sync
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import running, told, until

pytestmark = pytest.mark.extra  # real runs, some seconds each

REFUSED = {"steps": [{"do": "fail", "error": "auth"}]}
FEATURE = {"steps": [{"do": "feature"}]}
LONG = {"sessions": [{"steps": [{"do": "say"}, {"do": "sleep", "seconds": 60}]}]}


async def asked(client: httpx.AsyncClient, target: str, what: str) -> httpx.Response:
    return await client.post(f"/api/targets/{target}/{what}")


def blocked_and_busy(place: Place) -> None:
    """`a` is blocked by its first session and would pass with the second; `b` keeps the run going."""
    place.repository("a", ["F1"])
    place.repository("b", ["F1"])
    place.write_scenario(a={"sessions": [REFUSED, FEATURE]}, b=LONG)
    place.write_queue({"id": "a"}, {"id": "b"})


async def test_a_blocked_target_is_worked_again_in_the_same_run(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    blocked_and_busy(place)
    async with running(database, place, Seen(), concurrency=2):
        await until(lambda: place.rows("SELECT 1 FROM targets WHERE status = 'blocked'"))
        answer = await asked(controller, "a", "unblock")
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"] == {
            "success": True,
            "repoId": "a",
            "status": "active",
            "workers": 1,
        }
        await until(lambda: place.target("a")["status"] == "complete")
        assert place.target("b")["status"] == "active"
    assert [row["status"] for row in place.sessions("a")] == ["failed", "completed"]


async def test_a_wait_after_failures_is_cut_short(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    """A back-off of up to a quarter of an hour, which nobody would sit out here."""
    place.repository("a", ["F1"])
    place.write_scenario(a={"sessions": [{"steps": [{"do": "fail", "error": "server"}]}, FEATURE]})
    place.write_queue({"id": "a"})
    place.wait_after_failures(900)
    seen = Seen()
    async with running(database, place, seen) as run:
        await until(lambda: seen.waits)
        assert (await asked(controller, "a", "retry")).status_code == 200
        assert (await asyncio.wait_for(run, 60)).ended_by == "done"
    assert place.target("a")["status"] == "complete"


async def test_what_comes_after_a_session_that_runs_is_another_try(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    """The session was begun before and blocks its target; the try that was asked for comes all the same."""
    place.repository("a", ["F1"])
    slow = {"steps": [{"do": "say"}, {"do": "sleep", "seconds": 2}, *REFUSED["steps"]]}
    place.write_scenario(a={"sessions": [slow, FEATURE]})
    place.write_queue({"id": "a"})
    async with running(database, place, Seen()) as run:
        await until(lambda: place.rows("SELECT 1 FROM harness_sessions WHERE status = 'running'"))
        assert (await asked(controller, "a", "retry")).json()["data"]["status"] == "active"
        assert (await asyncio.wait_for(run, 60)).ended_by == "done"
    assert [row["status"] for row in place.sessions("a")] == ["failed", "completed"]
    assert place.target("a")["status"] == "complete"


async def test_a_try_waits_for_who_works_next(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    blocked_and_busy(place)
    await told(controller, "resume")
    await sync(database, place.settings)
    answer = await asked(controller, "a", "retry")
    assert answer.json()["data"]["workers"] == 0
    turns = "SELECT lock FROM acd_queue.procrastinate_jobs WHERE status = 'todo'"
    assert place.rows(turns) == [{"lock": str(target_id_of("a"))}]
    await asked(controller, "a", "retry")
    assert len(place.rows(turns)) == 1, "asked twice, tried once"


async def test_what_would_change_nothing_is_refused(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    for name in ("off", "used"):
        place.repository(name, ["F1"])
    done = place.repository("org/done", ["F1"], parents=True)
    (done / "feature_list.json").write_text('[{"id": "F1", "name": "one", "passes": true}]')
    place.write_queue(
        {"id": "off", "enabled": False},
        {"id": "used", "maxSessionsPerRepo": 0},
        {"id": "org/done"},
    )
    await sync(database, place.settings)
    for target, code, words in (
        ("off", "nothing_to_try", "enable it"),
        ("used", "nothing_to_try", "maxSessionsPerRepo"),
        ("org/done", "nothing_to_try", "complete"),
    ):
        answer = await asked(controller, target, "retry")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, code), target
        assert words in answer.json()["error"]["message"]
    answer = await asked(controller, "used", "unblock")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_blocked")
    assert (await asked(controller, "nobody", "retry")).status_code == 404
    assert (await asked(controller, "nobody", "unblock")).status_code == 404
