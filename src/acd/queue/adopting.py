"""Sessions that a dead harness of this machine left behind: seen to their end while the queue goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from acd.core.errors import DatabaseAway
from acd.core.facts import Started
from acd.core.models import Target
from acd.core.settings import Settings
from acd.files.folder import SessionFolder
from acd.harness.journaled import Journaled
from acd.harness.recovery import recover, unfinished
from acd.queue.control import Control
from acd.queue.lease import TAKEN_OVER, Lease
from acd.queue.observer import Observer

_POLL = 0.1


class Orphans:
    """The sessions that had not ended when this process started.

    Their agents may live on, for as long as a session takes: so they are looked after beside the turns, and only the
    turns of their own targets wait for them.
    """

    def __init__(self, settings: Settings, control: Control, lease: Lease) -> None:
        self._settings = settings
        self._control = control
        self._lease = lease
        self._gone: set[UUID] = set()
        self._folders: list[tuple[SessionFolder, Started]] = []
        self._work: asyncio.Task[None] | None = None
        self._targets: dict[UUID, Target] = {}
        for folder in unfinished(settings):
            started = next((f for f in folder.journal.facts() if isinstance(f, Started)), None)
            if started is not None:
                self._folders.append((folder, started))
                self._targets[started.session_id] = started.target

    def look_after(
        self, ring: Callable[[SessionFolder], None], stop: asyncio.Event, observer: Observer
    ) -> asyncio.Task[None]:
        """Begin to see them to their end; the task ends when all have."""
        self._work = asyncio.create_task(self._look_after(ring, stop, observer), name="orphans")
        return self._work

    async def _look_after(
        self, ring: Callable[[SessionFolder], None], stop: asyncio.Event, observer: Observer
    ) -> None:
        ids = {target.id for target in self._targets.values() if target.clone}
        if ids:
            with suppress(DatabaseAway):  # and nobody waits for it: then all sessions end in order
                self._gone = await self._lease.gone_elsewhere(list(ids))
        outcomes = await recover(
            self._settings,
            ring,
            stop=stop,
            stop_of=self._stop_of,
            on_progress=observer.session_progress,
        )
        for outcome in outcomes:
            target = self._targets.get(outcome.session_id)
            if target is not None:
                observer.session_ended(target, outcome)
        await self._lease.release_inherited()

    @contextmanager
    def _stop_of(self, session_id: UUID) -> Iterator[asyncio.Event]:
        """Ends a session as `Control.stop_of` does, and when another machine has its target."""
        target = self._targets[session_id]
        with (
            self._control.stop_of(session_id) as stop,
            self._lease.guard(session_id, target, stop),
        ):
            if target.id in self._gone:
                stop.end_at_once_because("interrupted", TAKEN_OVER)
            yield stop

    def take_kept_on(self, target_id: UUID) -> str | None:
        """The branch on which one of them, which has ended, left work of a target for a person to merge; told once."""
        kept = None
        for session, started in list(self._folders):
            if started.target.id == target_id and not session.lock.exists():
                self._folders.remove((session, started))
                kept = Journaled.of(list(session.journal.facts())).kept_on() or kept
        return kept

    def work_in(self, group: str) -> bool:
        """Whether one of them works on a target of a serial group."""
        if self._work is None or self._work.done():
            return False
        return any(
            started.target.serial_group == group and session.lock.exists()
            for session, started in self._folders
        )

    async def gone_from(self, target_id: UUID, folder: Path, stop: asyncio.Event) -> None:
        """Wait until none of them works on a target, or in its folder itself, any more, or `stop` is set."""
        sessions = [
            session
            for session, started in self._folders
            if started.target.id == target_id
            or (started.worktree is None and started.target.path == str(folder))
        ]
        while self._work and not self._work.done() and not stop.is_set():
            if not any(session.lock.exists() for session in sessions):
                return
            await asyncio.sleep(_POLL)
