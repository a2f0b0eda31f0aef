"""A queue to work in tests: repositories, a queue file, a scenario for the scripted agent, and an observer."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from acd.core.models import Target
from acd.core.settings import Settings
from acd.harness.live import LiveState
from acd.harness.outcome import Outcome
from acd.harness.plan import SessionPlan
from acd.queue.steps import Cause, Done, Stop
from acd.testing.ledger import LedgerTotals, read_ledgers


@dataclass
class Seen:
    """An observer that remembers."""

    started: list[SessionPlan] = field(default_factory=list)
    ended: list[tuple[str, Outcome]] = field(default_factory=list)
    waits: list[tuple[str, datetime, str]] = field(default_factory=list)
    settled: dict[str, Done | Stop] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    progressed: int = 0
    requests: int = 0

    def session_started(self, plan: SessionPlan) -> None:
        self.started.append(plan)

    def session_progress(self, live: LiveState) -> None:
        self.progressed += 1
        self.requests = max(self.requests, live.requests)

    def session_ended(self, target: Target, outcome: Outcome) -> None:
        self.ended.append((target.repo_id, outcome))

    def target_waiting(
        self, target: Target, until: datetime, reason: str, cause: Cause | None = None
    ) -> None:
        self.waits.append((target.repo_id, until, reason))

    def target_settled(self, target: Target, step: Done | Stop) -> None:
        self.settled[target.repo_id] = step

    def message(self, text: str, *, warning: bool = True) -> None:
        self.messages.append(text)


class Place:
    """A folder with repositories, a queue file and a scenario."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.queue = folder / "repo-queue.json"
        self.scenario = folder / "scenario.json"
        self.settings = Settings(
            home=folder / "home",
            database_url=database_url,
            queue_file=self.queue,
            scenario=self.scenario,
            retry_base=0.2,
            retry_max=0.5,
            breaker_probes=0,
            terminate_grace=2,
            free_space_floor=0,
        )

    @property
    def changed_settings(self) -> dict[str, str]:
        """What differs from the defaults, as another process can be told it."""
        defaults = msgspec.structs.asdict(Settings(home=Path()))
        ours = msgspec.structs.asdict(self.settings)
        return {name: str(value) for name, value in ours.items() if value != defaults[name]}

    def wait_after_failures(self, seconds: float) -> None:
        """Let back-offs last up to so long."""
        self.settings = msgspec.structs.replace(
            self.settings, retry_base=seconds, retry_max=seconds
        )

    def repository(
        self, name: str, features: Sequence[str] | None = (), *, parents: bool = False
    ) -> Path:
        path = self.folder / name
        path.mkdir(parents=parents)
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

    @property
    def agents_own(self) -> LedgerTotals:
        """What the scripted agents themselves wrote down."""
        return read_ledgers(self.settings.home / "scripted-agent" / "ledger")

    def assert_recorded(self) -> None:
        """Every session of every agent is a row that has ended, with the tokens that the agent itself counted."""
        own = self.agents_own.sessions
        rows = {str(row["id"]): row for row in self.rows("SELECT * FROM harness_sessions")}
        assert set(rows) >= set(own)
        for session_id, row in rows.items():
            assert row["status"] != "running"
            if session_id not in own:
                assert row["input_tokens"] == 0
                continue
            tokens = own[session_id].sum.tokens
            assert (row["input_tokens"], row["output_tokens"], row["cache_read_tokens"]) == (
                tokens.input_tokens,
                tokens.output_tokens,
                tokens.cache_read_tokens,
            )
            assert row["cost_usd"] == own[session_id].sum.cost_usd
        numbers = [(row["target_id"], row["session_number"]) for row in rows.values()]
        assert len(numbers) == len(set(numbers))
