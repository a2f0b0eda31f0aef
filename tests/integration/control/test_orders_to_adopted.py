"""An agent that outlived its harness, adopted by a run that has nothing else left to do."""

from __future__ import annotations

import asyncio

import pytest

from acd.database.connection import Database
from acd.queue.control import give_order
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import running, until
from tests.integration.control.test_control_orders import begin, end

pytestmark = pytest.mark.extra


async def test_an_adopted_session_hears_orders_when_all_turns_are_over(
    database: Database, place: Place
) -> None:
    long = {"sessions": [{"steps": [{"do": "sleep", "seconds": 60}, {"do": "feature"}]}]}
    for name in ("a", "b"):
        place.repository(name, ["F1"])
    place.write_scenario(a=long)
    place.write_queue({"id": "a"}, {"id": "b", "enabled": False})
    process = await begin("run", place.changed_settings)
    try:
        await until(lambda: place.rows("SELECT 1 FROM harness_sessions WHERE status = 'running'"))
    finally:
        process.kill()
        await end(process)
    place.write_queue({"id": "a"}, {"id": "b"})
    seen = Seen()
    async with running(database, place, seen, repo_ids=("b",)) as run:
        await until(lambda: place.target("b")["status"] == "complete")
        await until(
            lambda: (
                not place.rows("SELECT 1 FROM acd_queue.procrastinate_jobs WHERE status = 'doing'")
            )
        )
        await asyncio.sleep(3)  # until the crew has ended
        await give_order(database, "stopping")
        await run
    (session,) = place.sessions("a")
    assert (session["status"], session["error_type"]) == ("failed", "interrupted")
