"""Whole runs of the queue with the scripted agent: from the file to rows that equal the agents' own ledgers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.harness.live import LiveState
from acd.harness.outcome import Outcome
from acd.harness.plan import SessionPlan
from acd.queue.ending import Ending
from acd.queue.orchestrator import RunOptions, RunResult, plan, work_queue
from acd.queue.turn import Done, Stop, Work


@dataclass
class Seen:
    """An observer that remembers."""

    started: list[SessionPlan] = field(default_factory=list)
    ended: list[tuple[str, Outcome]] = field(default_factory=list)
    waits: list[tuple[str, datetime, str]] = field(default_factory=list)
    settled: dict[str, Done | Stop] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    progressed: int = 0

    def session_started(self, plan: SessionPlan) -> None:
        self.started.append(plan)

    def session_progress(self, live: LiveState) -> None:
        self.progressed += 1

    def session_ended(self, target: Target, outcome: Outcome) -> None:
        self.ended.append((target.repo_id, outcome))

    def target_waiting(self, target: Target, until: datetime, reason: str) -> None:
        self.waits.append((target.repo_id, until, reason))

    def target_settled(self, target: Target, step: Done | Stop) -> None:
        self.settled[target.repo_id] = step

    def message(self, text: str, *, warning: bool = True) -> None:
        self.messages.append(text)


class Place:
    """A folder with repositories, a queue file and a scenario."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.queue = folder / "repo-queue.json"
        self.scenario = folder / "scenario.json"
        self.settings = Settings(
            home=folder / "home",
            database_url=database_url,
            queue_file=self.queue,
            scenario=self.scenario,
            retry_base=0.2,
            retry_max=0.5,
            terminate_grace=2,
            free_space_floor=0,
        )

    def repository(self, name: str, features: Sequence[str] | None = ()) -> Path:
        path = self.folder / name
        path.mkdir()
        subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
        if features is not None:
            entries = [{"id": key, "name": f"Feature {key}", "passes": False} for key in features]
            (path / "feature_list.json").write_text(json.dumps(entries))
        return path

    def write_queue(self, *entries: Mapping[str, Any], **top: object) -> None:
        repos = [{"path": entry["id"], "agent": "scripted", **entry} for entry in entries]
        self.queue.write_text(json.dumps({"repos": repos, **top}))

    def write_scenario(self, **targets: Mapping[str, Any]) -> None:
        self.scenario.write_text(json.dumps({"seed": 1, "targets": {"*": {}, **targets}}))

    def rows(self, query: str) -> list[dict[str, Any]]:
        with psycopg.connect(str(self.settings.database_url), row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()

    def sessions(self, repo_id: str) -> list[dict[str, Any]]:
        query = "SELECT s.* FROM harness_sessions s JOIN targets t ON t.id = s.target_id "
        return self.rows(query + f"WHERE t.repo_id = '{repo_id}' ORDER BY s.session_number")

    def target(self, repo_id: str) -> dict[str, Any]:
        return self.rows(f"SELECT * FROM targets WHERE repo_id = '{repo_id}'")[0]


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


async def run(
    database: Database, place: Place, seen: Seen | None = None, **options: Any
) -> RunResult:
    return await work_queue(
        database, place.settings, RunOptions(**options), observer=seen or Seen(), ending=Ending()
    )


async def test_targets_are_worked_to_completion(database: Database, place: Place) -> None:
    place.repository("two", ["F1", "F2"])
    place.repository("new", None)
    place.write_scenario(new={"features": [{"id": "N1", "name": "One", "passes": False}]})
    place.write_queue({"id": "two"}, {"id": "new", "complexity": "low"})
    seen = Seen()
    result = await run(database, place, seen, concurrency=2)
    assert result.ended_by == "done"
    assert (result.completed, result.failed, result.recorded) == (4, 0, True)
    assert [end.status for end in result.targets] == ["complete", "complete"]
    two, new = place.sessions("two"), place.sessions("new")
    assert [(s["session_number"], s["session_type"]) for s in two] == [(1, "coding"), (2, "coding")]
    assert [s["session_type"] for s in new] == ["initializer", "coding"]
    assert {s["model"] for s in two} == {"sonnet"}
    assert {s["model"] for s in new} == {"haiku"}
    assert all(s["status"] == "completed" for s in two + new)
    assert place.target("two")["passing_features"] == 2
    assert len(seen.started) == len(seen.ended) == 4
    assert seen.progressed > 0
    again = await run(database, place)
    assert (again.ended_by, again.completed, again.failed) == ("done", 0, 0)
