"""Several targets of one repository with one feature list."""

from __future__ import annotations

from acd.database.connection import Database
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import running


async def test_targets_that_share_a_list_agree_on_what_passes(
    database: Database, place: Place
) -> None:
    place.repository("a", ["F1", "F2"])
    place.write_scenario(a={"sessions": [{"steps": [{"do": "feature", "count": 2}]}]})
    list_path = "a/feature_list.json"
    place.write_queue(
        {"id": "a", "priority": 1},
        {"id": "b", "priority": 2, "path": "a", "featureList": list_path},
    )
    async with running(database, place, Seen()) as run:
        await run
    for name in ("a", "b"):
        target = place.target(name)
        assert (target["status"], target["passing_features"], target["total_features"]) == (
            "complete",
            2,
            2,
        ), name
    assert place.sessions("b") == []
