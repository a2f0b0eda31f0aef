"""Commits that acd is told not to merge are a person's to merge, and a target waits for that."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from acd.database.connection import Database
from acd.queue.orchestrator import RunOptions, work_queue
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import until
from tests.integration.control.test_control_orders import begin, end

# Long: three runs, with worktrees.
pytestmark = pytest.mark.extra


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


async def test_with_merge_none_a_target_waits_for_its_work_to_be_merged(
    database: Database, place: Place
) -> None:
    """The next session would begin without it, and do the same again."""
    path = place.repository("a", ["F1", "F2"])

    def git(*words: str) -> str:
        person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        return subprocess.run(
            ["git", "-C", str(path), *person, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("add", "-A")
    git("commit", "-qm", "first")
    place.settings = msgspec.structs.replace(place.settings, merge="none")
    place.write_scenario()
    place.write_queue({"id": "a"})
    for number in (1, 2):
        await work_queue(database, place.settings, RunOptions(), observer=Seen())
        assert len(place.sessions("a")) == number
        target = place.target("a")
        assert target["status"] == "blocked"
        assert (
            f"its commits are on branch acd/a/{number}, for you to merge" in target["status_reason"]
        )
        git("merge", "-q", f"acd/a/{number}")
    await work_queue(database, place.settings, RunOptions(), observer=Seen())
    assert len(place.sessions("a")) == 2
    assert place.target("a")["status"] == "complete"


async def test_an_adopted_sessions_work_is_waited_for_as_well(
    database: Database, place: Place
) -> None:
    """Its harness died, so no turn heard how it ended."""
    path = place.repository("a", ["F1", "F2"])
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for words in (("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(path), *person, *words], check=True)
    place.settings = msgspec.structs.replace(place.settings, merge="none")
    steps = [{"do": "sleep", "seconds": 5}, {"do": "feature"}]
    place.write_scenario(a={"sessions": [{"steps": steps}]})
    place.write_queue({"id": "a"})
    process = await begin("run", place.changed_settings)
    try:
        await until(lambda: place.rows("SELECT 1 FROM harness_sessions WHERE status = 'running'"))
    finally:
        process.kill()
        await end(process)
    await work_queue(database, place.settings, RunOptions(), observer=Seen())
    (session,) = place.sessions("a")
    assert session["status"] == "completed"
    target = place.target("a")
    assert target["status"] == "blocked"
    assert "its commits are on branch acd/a/1, for you to merge" in target["status_reason"]


async def test_a_failed_sessions_work_is_not_to_be_merged(database: Database, place: Place) -> None:
    """It lies apart, and the target goes on: here into the same failure, until it is given up for that."""
    place.repository("a", ["F1"])
    place.settings = msgspec.structs.replace(
        place.settings, merge="none", keep_failed_work="ref", max_failures=1
    )
    steps = [
        {"do": "bash", "command": "git commit -q --allow-empty -m half"},
        {"do": "fail", "error": "server"},
    ]
    place.write_scenario(a={"sessions": [{"steps": steps}]})
    place.write_queue({"id": "a"})
    await work_queue(database, place.settings, RunOptions(once=True), observer=Seen())
    assert "to merge" not in (place.target("a")["status_reason"] or "")
