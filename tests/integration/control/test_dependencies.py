"""Targets that depend on others: the order, what stands in the way, and what sets them going."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from acd.database.connection import Database
from acd.queue.file import read_queue_file
from acd.queue.look import plan_queue
from acd.queue.turn import Wait
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import running, until

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

REFUSED = {"steps": [{"do": "fail", "error": "auth"}]}
FEATURE = {"steps": [{"do": "feature"}]}
LONG = {"sessions": [{"steps": [{"do": "say"}, {"do": "sleep", "seconds": 60}]}]}


def prepare(place: Place, needs: dict[str, list[str]], **scenarios: object) -> None:
    for name in needs:
        place.repository(name, ["F1"])
    place.write_scenario(**scenarios)  # type: ignore[arg-type]
    place.write_queue(*({"id": name, "dependsOn": needed} for name, needed in needs.items()))


async def test_each_starts_when_those_before_it_are_complete(
    database: Database, place: Place
) -> None:
    """Long before the look after half a minute: who completes a target wakes the next one."""
    prepare(place, {"site": ["api", "shop"], "shop": ["api"], "api": []})
    seen = Seen()
    async with running(database, place, seen, concurrency=3) as run:
        assert (await asyncio.wait_for(run, 25)).ended_by == "done"
    assert [plan.target.repo_id for plan in seen.started] == ["api", "shop", "site"]
    rows = place.rows("SELECT repo_id, status, status_reason FROM targets ORDER BY repo_id")
    assert {row["status"] for row in rows} == {"complete"}
    assert not any("waits" in (row["status_reason"] or "") for row in rows)
    assert {reason for _, _, reason in seen.waits} >= {"waits for api, shop", "waits for api"}


async def test_waiting_shows_and_so_does_what_is_blocked(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    """An unblocked dependency that completes sets its dependents going, in the same run."""
    prepare(
        place,
        {"api": [], "site": ["api"], "busy": [], "late": ["busy"]},
        api={"sessions": [REFUSED, FEATURE]},
        busy=LONG,
    )
    async with running(database, place, Seen(), concurrency=2):
        said = "SELECT 1 FROM targets WHERE repo_id = 'site' AND status_reason LIKE '%blocked%'"
        await until(lambda: place.rows(said), 25)
        shown: dict[str, tuple[str, str]] = {}
        async with asyncio.timeout(25):  # the reason is noted a moment before the turn is over
            while shown.get("site", ("due",))[0] == "due":
                queue = (await controller.get("/api/queue")).json()["data"]["targets"]
                shown = {
                    each["target"]["repoId"]: (each["state"], each["reason"]) for each in queue
                }
        assert shown["site"] == ("idle", "waits for api (which is blocked)")
        assert shown["late"] == ("waiting", "waits for busy")
        assert place.target("late")["status_reason"] == "waits for busy"
        assert (await controller.post("/api/targets/api/unblock")).status_code == 200
        await until(lambda: place.target("site")["status"] == "complete")
    assert place.target("site")["status_reason"] in (None, "all features pass")
    assert place.sessions("late") == []


async def test_a_run_does_not_wait_for_what_nobody_works(database: Database, place: Place) -> None:
    prepare(place, {"api": [], "site": ["api"]})
    seen = Seen()
    async with running(database, place, seen, repo_ids=("site",)) as run:
        assert (await asyncio.wait_for(run, 25)).ended_by == "done"
    assert seen.started == []
    assert place.target("site")["status_reason"] == (
        "waits for api, on which nothing is to be done now"
    )
    async with running(database, place, seen, repo_ids=("api",)) as run:
        await asyncio.wait_for(run, 25)
    assert [plan.target.repo_id for plan in seen.started] == ["api"], "only what was chosen"


async def test_a_dry_run_and_an_edit_know_dependencies(database: Database, place: Place) -> None:
    prepare(place, {"api": [], "site": ["api"]})
    planned = await plan_queue(database, place.settings, read_queue_file(place.queue))
    assert {each.target.repo_id: type(each.step).__name__ for each in planned} == {
        "api": "Work",
        "site": "Wait",
    }
    assert any(
        isinstance(each.step, Wait) and each.step.reason == "waits for api" for each in planned
    )
    place.write_scenario(api=LONG)
    async with running(database, place, Seen(), concurrency=2):
        await until(lambda: place.rows("SELECT 1 FROM harness_sessions"))
        document = json.loads(place.queue.read_text())
        del document["repos"][1]["dependsOn"]
        place.queue.write_text(json.dumps(document))
        await until(lambda: place.target("site")["status"] == "complete")
