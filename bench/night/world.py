"""The folder of a night: repositories, queue file, scenario, and a PostgreSQL that can be stopped."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.maintenance import remove_embedded
from bench.night.plans import Planned

BUDGET_USD = 40.0
"""Of the whole night."""
SESSION_USD = 2.0
TARGET_USD = 4.0
ONE_REQUEST_USD = 0.5
"""More than any request of the night costs."""
_IDENTITY = ("-c", "user.name=Night", "-c", "user.email=night@localhost")
RULES = {
    "ACD_CONCURRENCY": "4",
    "ACD_SESSION_TIMEOUT": "180",
    "ACD_SILENCE_TIMEOUT": "15",
    "ACD_RESULT_TIMEOUT": "3",
    "ACD_TERMINATE_GRACE": "2",
    "ACD_OUTPUT_LIMIT": "4000000",
    "ACD_RETRY_BASE": "0.2",
    "ACD_RETRY_MAX": "1",
    "ACD_MAX_FAILURES": "4",
    "ACD_BREAKER_COOLDOWN": "1",
    "ACD_BREAKER_PROBES": "1",
    "ACD_TOTAL_BUDGET_USD": str(BUDGET_USD),
    "ACD_TARGET_BUDGET_USD": str(TARGET_USD),
    "ACD_SESSION_BUDGET_USD": str(SESSION_USD),
}
"""The night's rules: short times, so that a night is over in minutes."""


class Server:
    """A PostgreSQL of the night's own."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedServer(Settings(home=folder))
        self._server.attach()
        self._up = True
        self.url = self._server.places.url("postgres")

    def stop(self) -> None:
        """As when somebody restarts the database: clients are cut off."""
        if self._up:
            self._server.leave()
            self._up = False

    def start(self) -> None:
        """Be there again."""
        if not self._up:
            self._server.attach()
            self._up = True

    def remove(self) -> None:
        """Leave nothing behind."""
        self.stop()
        remove_embedded(self._server)


def lay_out(folder: Path, night: Sequence[Planned], seed: int) -> None:
    """Write repositories, `repo-queue.json` and `scenario.json`."""
    for planned in night:
        _make_repository(folder / planned.name, planned.features)
    entries = [
        {"id": each.name, "path": each.name, "agent": "scripted", "notes": each.habit}
        for each in night
    ]
    (folder / "repo-queue.json").write_text(json.dumps({"repos": entries}, indent=1))
    targets = {each.name: {"sessions": each.plans} for each in night}
    (folder / "scenario.json").write_text(json.dumps({"seed": seed, "targets": targets}))


def _make_repository(path: Path, features: int) -> None:
    path.mkdir()
    entries = [
        {
            "id": f"F{number}",
            "name": f"Feature {number}",
            "description": f"What feature {number} does.",
            "passes": False,
            "verify": f"test -s features/F{number}.md",
        }
        for number in range(1, features + 1)
    ]
    (path / "feature_list.json").write_text(json.dumps(entries, indent=1))
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(path), *_IDENTITY, *words], check=True)
