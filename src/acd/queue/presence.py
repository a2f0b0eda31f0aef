"""Which workers of this machine are alive: each holds a lock file that the kernel frees when it dies.

The engine's heartbeats tell a dead worker only after half a minute, and call a live one dead that could not reach the
database for so long. For workers that share an `ACD_HOME` the lock tells the truth at once; heartbeats are left for
those of other machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Literal
from uuid import UUID

from acd.files.locks import hold, is_held

Presence = Literal["ours", "alive", "dead", "elsewhere"]
WorkerId = int | UUID


class Workers:
    """Workers of one database on this machine, known by the id that the database (or, in another `kind`, they) gave them."""

    def __init__(self, locks_dir: Path, database_url: str, kind: str = "worker") -> None:
        database = hashlib.sha256(database_url.encode()).hexdigest()[:12]
        self._prefix = locks_dir / f"{kind}-{database}"
        self._held: dict[WorkerId, ExitStack] = {}

    def enter(self, worker_id: WorkerId) -> None:
        """Say that this process is that worker.

        Raises:
            Busy: another process is, which cannot be.
        """
        stack = ExitStack()
        stack.enter_context(hold(self._path(worker_id)))
        self._held[worker_id] = stack

    def leave(self, worker_id: WorkerId) -> None:
        """Say that the worker has ended in order."""
        stack = self._held.pop(worker_id, None)
        if stack is not None:
            self._path(worker_id).unlink(missing_ok=True)
            stack.close()

    def close(self) -> None:
        """Let go of all. One that could not tell the database that it ended is dead from now on, to everybody here."""
        while self._held:
            self._held.popitem()[1].close()

    def presence(self, worker_id: WorkerId | None) -> Presence:
        """Where a worker is, as far as this machine can tell."""
        if worker_id is None or not self._path(worker_id).exists():
            return "elsewhere"
        if worker_id in self._held:
            return "ours"
        return "alive" if is_held(self._path(worker_id)) else "dead"

    def dead(self) -> list[UUID]:
        """Workers of this machine, known by UUIDs, that died without saying so."""
        names = self._prefix.parent.glob(f"{self._prefix.name}-*.lock")
        ids = [UUID(path.stem.removeprefix(f"{self._prefix.name}-")) for path in names]
        return [each for each in ids if self.presence(each) == "dead"]

    def forget(self, dead: Iterable[UUID]) -> None:
        """There is nothing more to be known of these dead workers."""
        for each in dead:
            self._path(each).unlink(missing_ok=True)

    def _path(self, worker_id: WorkerId) -> Path:
        return self._prefix.with_name(f"{self._prefix.name}-{worker_id}.lock")
