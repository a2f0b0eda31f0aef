"""A target worked by the scripted agent: a real repository, a scenario, sessions, and what they left."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from acd.agents.protocol import Adapter
from acd.agents.registry import load_adapter
from acd.core.facts import Ended, Fact, Started
from acd.core.models import SessionType, Target
from acd.core.settings import Settings
from acd.files.folder import SessionFolder
from acd.harness.live import LiveState
from acd.harness.outcome import Outcome
from acd.harness.plan import SessionPlan
from acd.harness.session import work_session
from acd.harness.strays import marked_processes
from acd.testing.ledger import LedgerTotals, SessionTotals, read_ledgers

F = TypeVar("F", bound=Fact)
Step = dict[str, Any]
FEATURES = ("F1", "F2", "F3")


def plan_of(*steps: Step, closing: str = "Done.") -> dict[str, Any]:
    """A session's plan in a scenario."""
    return {"steps": list(steps), "closing": closing}


@dataclass
class Stage:
    """Everything around one target. `plan` is the last session that was begun."""

    base: Path
    settings: Settings
    target: Target
    plan: SessionPlan | None = None
    rings: list[UUID] = field(default_factory=list)
    shown: list[LiveState] = field(default_factory=list)

    @classmethod
    def build(cls, base: Path, **settings: object) -> Stage:
        """A repository with a feature list of `FEATURES`, and an agent that works on one feature a session.

        It works in the folder itself, where the tests look for what it leaves, unless a test says otherwise.
        """
        repository = base / "shop"
        repository.mkdir(parents=True)
        scenario = base / "scenario.json"
        stage = cls(
            base,
            Settings(
                **{"home": base / "home", "scenario": scenario, "isolation": "in-place", **settings}  # type: ignore[arg-type]
            ),
            Target(repo_id="shop", name="Shop", path=str(repository), agent="scripted"),
        )
        stage.git("init", "-q", "-b", "main")
        stage.script()
        return stage

    @property
    def repository(self) -> Path:
        return Path(self.target.path)

    @property
    def folder(self) -> SessionFolder:
        assert self.plan is not None
        return SessionFolder(self.settings.sessions_dir / str(self.plan.session_id))

    def set(self, **settings: object) -> None:
        """Change settings."""
        self.settings = msgspec.structs.replace(self.settings, **settings)

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.repository), *arguments],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def script(self, *sessions: dict[str, Any], initializer: Sequence[dict[str, Any]] = ()) -> None:
        """What the coding sessions (one after the other; the last repeats) and the initializer do."""
        target: dict[str, Any] = {
            "features": [{"id": key, "name": f"Feature {key}", "passes": False} for key in FEATURES]
        }
        if sessions:
            target["sessions"] = list(sessions)
        if initializer:
            target["initializer"] = list(initializer)
        assert self.settings.scenario is not None
        self.settings.scenario.write_text(json.dumps({"seed": 7, "targets": {"*": target}}))

    def write_features(self) -> None:
        """Commit the feature list, as an initializer would."""
        entries = [{"id": key, "name": f"Feature {key}", "passes": False} for key in FEATURES]
        (self.repository / "feature_list.json").write_text(json.dumps(entries, indent=2))
        self.commit("Features")

    def commit(self, message: str, *, add: bool = True) -> None:
        """Commit as a person would: everything, or what is staged."""
        if add:
            self.git("add", "-A")
        person = ("-c", "user.name=T", "-c", "user.email=t@example.org")
        self.git(*person, "commit", "-q", "-m", message)

    def new_plan(self, session_type: SessionType = "coding", **changes: Any) -> SessionPlan:  # noqa: ANN401
        self.plan = SessionPlan(
            **{
                "target": self.target,
                "session_type": session_type,
                "model": "sonnet",
                "session_number": 1,
                **changes,
            }
        )
        return self.plan

    async def work(
        self,
        session_type: SessionType = "coding",
        *,
        stop: asyncio.Event | None = None,
        adapter: Adapter | None = None,
        **changes: Any,  # noqa: ANN401
    ) -> Outcome:
        """Work a session to its end."""
        plan = self.new_plan(session_type, **changes)
        adapter = adapter or load_adapter(plan.target.agent)
        return await work_session(
            plan,
            adapter=adapter,
            binary=adapter.find(self.settings),
            settings=self.settings,
            ring=lambda folder: self.rings.append(folder.session_id),
            on_progress=self.shown.append,
            stop=stop or asyncio.Event(),
        )

    def facts(self, session_id: UUID | None = None) -> list[Fact]:
        """The journal of the session; it begins with `Started`, ends with the only `Ended`."""
        folder = self.folder
        if session_id is not None:
            folder = SessionFolder(self.settings.sessions_dir / str(session_id))
        facts = list(folder.journal.facts())
        assert [type(fact) for fact in facts].count(Started) == 1
        assert [type(fact) for fact in facts].count(Ended) == 1
        assert isinstance(facts[0], Started)
        assert isinstance(facts[-1], Ended)
        assert not folder.lock.exists()
        return facts

    def only(self, kind: type[F]) -> list[F]:
        """The facts of one kind."""
        return [fact for fact in self.facts() if isinstance(fact, kind)]

    def ledger(self) -> LedgerTotals:
        """What the agents themselves say that they did."""
        return read_ledgers(self.settings.home / "scripted-agent" / "ledger")

    def truth(self, session_id: UUID | None = None) -> SessionTotals:
        assert self.plan is not None
        return self.ledger().sessions[str(session_id or self.plan.session_id)]

    def living(self, session_id: UUID | None = None) -> list[int]:
        """Ids of the session's processes."""
        assert self.plan is not None
        found = marked_processes(session_id or self.plan.session_id)
        return [process.pid for process in found]


def is_gone(pid: int) -> bool:
    """Whether a process does nothing any more (a zombie does nothing)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] in "ZX"


async def until(condition: Callable[[], object], patience: float = 20) -> None:
    """Wait until `condition()` holds."""
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.02)


def environment_of(path: Path) -> dict[str, str]:
    """What `env -0 > path` wrote."""
    entries = path.read_bytes().split(b"\0")
    return dict(os.fsdecode(entry).split("=", 1) for entry in entries if entry)
