"""What the shell learns of a run's end."""

from __future__ import annotations

import pytest

from acd.cli.working import exit_status
from acd.core.models import TargetStatus
from acd.queue.ending import EndedBy
from acd.queue.orchestrator import RunResult, TargetEnd


@pytest.mark.parametrize(
    ("ended_by", "recorded", "statuses", "expected"),
    [
        ("done", True, ["complete", "complete"], 0),
        ("done", True, ["complete", "blocked"], 1),
        ("max_sessions", True, ["pending"], 0),
        ("hours", True, ["active"], 0),
        ("stopped", True, ["blocked"], 130),
        ("failed", True, ["pending"], 1),
        ("done", False, ["complete"], 3),
        ("stopped", False, ["blocked"], 3),
    ],
)
def test_exit_status(
    ended_by: EndedBy, recorded: bool, statuses: list[TargetStatus], expected: int
) -> None:
    targets = [TargetEnd("one", status) for status in statuses]
    assert exit_status(RunResult(ended_by, 1, 0, recorded, targets)) == expected
