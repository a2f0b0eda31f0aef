"""A feature that a person leaves out: no work, told to the agent, through every look at the list."""

from __future__ import annotations

import asyncio

import httpx

from acd.core.models import Feature, Target
from acd.database.connection import Database
from acd.harness.plan import SessionPlan
from acd.harness.prompts import render_prompt
from acd.queue.sync import sync
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import running


async def test_a_feature_is_left_out_and_taken_in_again(
    database: Database, place: Place, controller: httpx.AsyncClient
) -> None:
    repository = place.repository("org/a", ["F1", "x/F2"], parents=True)
    listed = (repository / "feature_list.json").read_text()
    place.write_scenario(**{"org/a": {"sessions": [{"steps": [{"do": "feature", "key": "F1"}]}]}})
    place.write_queue({"id": "org/a"})
    await sync(database, place.settings)
    path = "/api/targets/org/a/features/x/F2/skip"
    for _ in range(2):
        answer = await controller.post(path)
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "skipped"), (
            answer.text
        )
    assert place.target("org/a")["total_features"] == 1
    await sync(database, place.settings)
    query = "SELECT feature_key, status FROM target_features ORDER BY position"
    assert [row["status"] for row in place.rows(query)] == ["pending", "skipped"]
    assert (repository / "feature_list.json").read_text() == listed

    seen = Seen()
    async with running(database, place, seen) as run:
        assert (await asyncio.wait_for(run, 60)).ended_by == "done"
    assert [plan.skipped for plan in seen.started] == [["x/F2"]]
    assert place.target("org/a")["status"] == "complete"
    assert [row["status"] for row in place.rows(query)] == ["passing", "skipped"]

    answer = await controller.delete(path)
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "pending")
    assert (await controller.delete(path)).json()["data"]["skipped"] is False
    assert place.target("org/a")["status"] == "active"
    jobs = "SELECT 1 FROM acd_queue.procrastinate_jobs WHERE status = 'todo'"
    assert len(place.rows(jobs)) == 1

    answer = await controller.post("/api/targets/org/a/features/F1/skip")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "passes_already")
    for missing in ("/api/targets/org/a/features/F9/skip", "/api/targets/b/features/F1/skip"):
        assert (await controller.post(missing)).status_code == 404


def test_the_agent_is_told() -> None:
    features = [Feature("F1", "one", passes=False), Feature("F2", "two", passes=False)]
    target = Target(repo_id="a", name="A", path="/a")
    plan = SessionPlan(target=target, session_type="coding", model="opus", skipped=["F2"])
    prompt = render_prompt(plan, features)
    assert "- F1: one" in prompt
    assert "- F2" not in prompt
    assert "leave alone, as they are in the list; a person decided so: F2" in prompt
    assert "0 of 1 features pass" in prompt
