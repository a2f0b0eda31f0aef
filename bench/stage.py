"""A repository, settings, a database and a recorder: what a session needs, in a folder that is gone afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import claude_agent_sdk
import msgspec

from acd.agents.protocol import Adapter, Binary
from acd.agents.registry import load_adapter
from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.harness.outcome import Outcome
from acd.harness.plan import SessionPlan
from acd.harness.session import work_session
from acd.harness.version import find_binary
from acd.ledger.pending import pending_folders
from acd.ledger.recorder import Recorder
from bench.scratch import scratch_server

_RECORDING_S = 300.0
_IDENTITY = ("-c", "user.name=Bench", "-c", "user.email=bench@localhost")
FEATURES = [{"id": "F1", "name": "Greeting", "description": "Say hello.", "passes": False}]


@dataclass
class Stage:
    """One target and everything to work it with. `agent` is the adapter's name."""

    folder: Path
    settings: Settings
    database: Database
    recorder: Recorder
    target: Target
    adapter: Adapter
    binary: Binary

    async def work(self) -> Outcome:
        """One session, as `acd run` works it; returns when its end is journalled, recorded or not."""
        return await work_session(
            self.plan(),
            adapter=self.adapter,
            binary=self.binary,
            settings=self.settings,
            ring=self.recorder.ring,
            on_progress=None,
            stop=asyncio.Event(),
        )

    def plan(self) -> SessionPlan:
        """A coding session."""
        return SessionPlan(target=self.target, session_type="coding", model="sonnet")

    async def recorded(self) -> None:
        """Wait until everything is in the database."""
        assert await self.recorder.settle(_RECORDING_S), "not recorded in time"
        assert not await pending_folders(self.database, self.settings), "not all is recorded"

    def script(self, *steps: dict[str, object]) -> None:
        """What the scripted agent's sessions do."""
        plan = {"steps": list(steps), "closing": "Done."}
        scenario = {"seed": 7, "targets": {"*": {"features": FEATURES, "sessions": [plan]}}}
        assert self.settings.scenario is not None
        self.settings.scenario.write_text(json.dumps(scenario))


@asynccontextmanager
async def staged(agent: str, environment: dict[str, str]) -> AsyncIterator[Stage]:
    """A stage for the agent; `environment` is what this process has besides PATH, as long as the block lasts."""
    with scratch_server() as scratch:
        await scratch.create_template()
        folder = scratch.folder
        (folder / "user").mkdir()
        places = {"PATH": os.environ["PATH"], "HOME": str(folder / "user"), "LANG": "C.UTF-8"}
        settings = Settings(
            home=folder / "home",
            database_url=scratch.create(),
            scenario=folder / "scenario.json",
            claude_config_dir=folder / "claude",
            claude_binary=Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude",
        )
        target = Target(repo_id="shop", name="Shop", path=str(_repository(folder)), agent=agent)
        adapter = load_adapter(agent)
        with patch.dict(os.environ, places | environment, clear=True):
            async with (
                open_database(settings, application="bench") as database,
                Recorder(database, settings) as recorder,
            ):
                binary = await find_binary(adapter, settings)
                yield Stage(folder, settings, database, recorder, target, adapter, binary)


def _repository(folder: Path) -> Path:
    """A git repository with a feature list."""
    repository = folder / "shop"
    repository.mkdir()
    (repository / "feature_list.json").write_bytes(msgspec.json.encode(FEATURES))
    for words in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        (*_IDENTITY, "commit", "-q", "-m", "Features"),
    ):
        subprocess.run(["git", *words], cwd=repository, check=True)
    return repository
