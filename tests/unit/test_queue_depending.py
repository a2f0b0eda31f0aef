"""`dependsOn`: what cannot be is named, what is not complete is waited for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from acd.core.models import Target, TargetStatus
from acd.queue.depending import after_dependencies, depth
from acd.queue.file import QueueFile, parse_queue_file
from acd.queue.state import Dependency, TargetState
from acd.queue.steps import Done, Wait

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def queue_of(**needs: object) -> QueueFile:
    repos = [{"id": name, "path": name, "dependsOn": needed} for name, needed in needs.items()]
    return parse_queue_file(json.dumps({"repos": repos}), Path("/srv/repo-queue.json"))


def names(queue: QueueFile) -> list[str]:
    return [target.repo_id for target in queue.targets]


def test_dependencies_are_read_once_each() -> None:
    queue = queue_of(a=[], b=["a", "a"], c=["b", "a"], d=None)
    assert queue.problems == []
    assert [target.depends_on for target in queue.targets] == [[], ["a"], ["a", "b"], []]
    by_id = {target.repo_id: target for target in queue.targets}
    assert [depth(target, by_id) for target in queue.targets] == [0, 1, 2, 0]


def test_an_unknown_id_spoils_its_entry_and_those_that_need_it_alone() -> None:
    queue = queue_of(a=["nobody"], b=["a"], c=[])
    assert names(queue) == ["c"]
    assert queue.problems == [
        "repos[0] (a): dependsOn: 'nobody': there is no such target; skipped",
        "repos[1] (b): dependsOn: 'a': its entry was skipped; skipped",
    ]


def test_a_circle_is_shown() -> None:
    queue = queue_of(a=["b"], b=["c"], c=["a"], d=["d"], e=["a"], f=[])
    assert names(queue) == ["f"]
    assert (
        queue.problems[0]
        == "repos[0] (a): dependsOn: a → b → c → a goes round in a circle; skipped"
    )
    assert "repos[3] (d): dependsOn: d → d goes round in a circle; skipped" in queue.problems
    assert queue.problems[-1] == "repos[4] (e): dependsOn: 'a': its entry was skipped; skipped"
    assert len(queue.problems) == 5


@pytest.mark.parametrize("written", ["a", [1, []], {"a": 1}])
def test_what_is_no_list_of_ids_is_named(written: object) -> None:
    queue = queue_of(a=[], b=written)
    assert names(queue) == ["a"]
    assert "repos[1] (b): dependsOn" in queue.problems[0]


def waiting(*others: tuple[str, TargetStatus, bool]) -> TargetState:
    target = Target(repo_id="z", name="Z", path="/z", depends_on=[name for name, *_ in others])
    needed = [Dependency(uuid4(), name, status, enabled) for name, status, enabled in others]
    return TargetState(target, "pending", waits_for=needed)


def test_what_is_not_complete_is_waited_for_by_name() -> None:
    assert after_dependencies(waiting(), NOW) is None
    step = after_dependencies(waiting(("a", "active", True), ("b", "pending", True)), NOW)
    assert isinstance(step, Wait)
    assert (step.reason, len(step.waits_for)) == ("waits for a, b", 2)
    assert step.until > NOW


def test_what_needs_a_person_first_is_said() -> None:
    step = after_dependencies(waiting(("a", "active", True), ("b", "blocked", True)), NOW)
    assert step == Done("waits for a, b (which is blocked)", waiting=True)
    step = after_dependencies(waiting(("c", "paused", False)), NOW)
    assert step == Done("waits for c (which is disabled)", waiting=True)
