"""An agent at work for as long as a test likes, and what can be seen of it from outside."""

from __future__ import annotations

from pathlib import Path

import psutil

from acd.core.facts import ProcessStarted
from acd.core.models import target_id_of
from acd.files.folder import SessionFolder
from tests.acceptance.genuine.scripts import FirstSession, waits_for
from tests.acceptance.genuine.stage import Stage, until


class AtWork:
    """A session whose agent is busy with a shell command until `release`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._gate = stage.folder / "gate"
        self.repo = stage.repository("shop", ["F1", "F2"])
        self.lock = self.repo / ".git" / "acd" / f"{target_id_of('shop')}.lock"
        stage.write_queue({"id": "shop"})
        self.script = FirstSession(waits_for(self._gate))

    async def begun(self) -> tuple[SessionFolder, psutil.Process]:
        """The session and its agent, once the command runs."""
        await until(lambda: any(self._waits(each) for each in self._stage.processes()))
        (folder,) = self._stage.folders()
        (agent,) = self._stage.agents()
        return folder, agent

    def release(self) -> None:
        """Let the agent go on."""
        self._gate.touch()

    def _waits(self, process: psutil.Process) -> bool:
        try:
            return any(str(self._gate) in word for word in process.cmdline())
        except psutil.Error:
            return False


def started_process(folder: SessionFolder) -> ProcessStarted:
    """What the session's journal says of its agent."""
    (fact,) = (each for each in folder.journal.facts() if isinstance(each, ProcessStarted))
    return fact


def holds_open(process: psutil.Process, path: Path) -> bool:
    """Whether a process has an open file descriptor of `path` (Linux)."""
    return str(path) in map(_target_of, Path(f"/proc/{process.pid}/fd").iterdir())


def _target_of(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # closed meanwhile
        return None
