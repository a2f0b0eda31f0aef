"""An agent whose harness was killed goes on: it still works on its serial group."""

from __future__ import annotations

import pytest

from acd.database.connection import Database
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import running, until
from tests.integration.control.test_control_orders import begin, end

pytestmark = pytest.mark.extra


async def test_a_group_is_held_by_the_agent_that_outlives_its_harness(
    database: Database, place: Place
) -> None:
    nap = {"sessions": [{"steps": [{"do": "sleep", "seconds": 4}, {"do": "feature"}]}]}
    names = ("a", "b")
    for name in names:
        place.repository(name, ["F1"])
    place.write_scenario(**dict.fromkeys(names, nap))
    place.write_queue(*({"id": name, "serialGroup": "one database"} for name in names))
    process = await begin("run", place.changed_settings)
    try:
        await until(lambda: place.rows("SELECT 1 FROM harness_sessions WHERE status = 'running'"))
    finally:
        process.kill()
        await end(process)
    async with running(database, place, Seen(), concurrency=2) as run:
        assert (await run).ended_by == "done"
    first, second = sorted(
        place.rows("SELECT * FROM harness_sessions"), key=lambda row: row["started_at"]
    )
    assert (first["status"], second["status"]) == ("completed", "completed")
    assert first["finished_at"] <= second["started_at"]
