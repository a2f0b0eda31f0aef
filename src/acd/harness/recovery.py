"""Sessions whose harness died: those whose agent lives on are adopted, the others are closed.

A session needs looking after as long as its folder has a lock file: it is made before the session's first fact and
removed after its last. The kernel frees the lock when its holder dies. A folder whose harness died before the first
fact has no session in it and is left as it is.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil

from acd.agents.protocol import Adapter
from acd.agents.registry import load_adapter
from acd.core.errors import AcdError, Busy
from acd.core.facts import Adopted, ProcessStarted, Started
from acd.core.models import Target
from acd.core.settings import Settings
from acd.files.folder import SessionFolder, unfinished_folders
from acd.files.locks import hold
from acd.harness.attend import Attendant, OnProgress
from acd.harness.closing import close_session
from acd.harness.isolation.stale import remove_stale_worktrees
from acd.harness.journaled import Journaled
from acd.harness.outcome import Outcome, Verdict
from acd.harness.process import FoundProcess, is_alive
from acd.harness.record import Record, Ring
from acd.harness.strays import leader_of, marked_processes
from acd.harness.trouble import Trouble

logger = logging.getLogger(__name__)

LoadAdapter = Callable[[str], Adapter]
"""Gives an agent's adapter by name: `acd.agents.registry.load_adapter`."""

StopOf = Callable[[UUID], AbstractContextManager[asyncio.Event]]
"""Gives the event that ends one session in order, for as long as that is attended."""


@dataclass(frozen=True)
class Recovery:
    """What closing or adopting a session takes. `stop` ends adopted agents in order, `stop_of` gives one its own."""

    settings: Settings
    load_adapter: LoadAdapter
    ring: Ring
    stop: asyncio.Event
    on_progress: OnProgress | None = None
    stop_of: StopOf | None = None

    async def settle(
        self, folder: SessionFolder, *, repository_held: bool = False
    ) -> Outcome | None:
        """See a session to its end; None when there is nothing (any more) to be done.

        Raises:
            Busy: another process looks after it.
            AcdError: its agent's adapter is not there.
            OSError: the disk is full or failing.
        """
        with hold(folder.lock):
            journaled = Journaled.of(list(folder.journal.facts()))
            if journaled.ended is not None:
                folder.lock.unlink(missing_ok=True)
                return None
            if journaled.started is None:
                return None
            outcome = await self._settle(folder, journaled.started, journaled, repository_held)
            folder.lock.unlink()
            return outcome

    async def settle_target(self, git_common_dir: Path, target: Target) -> bool:
        """Settle every session of a target that the caller holds; False when others still look after one."""
        folders = unfinished(self.settings, git_common_dir)
        ours = [f for f in folders if (s := _started_in(f)) and s.target.id == target.id]
        return await self._settle_each(ours, repository_held=False)

    async def settle_repository(self, git_common_dir: Path) -> bool:
        """The same for every session that worked in the folders of a repository itself, which the caller holds."""
        folders = unfinished(self.settings, git_common_dir)
        in_place = [f for f in folders if (s := _started_in(f)) and s.worktree is None]
        return await self._settle_each(in_place, repository_held=True)

    async def _settle_each(
        self, folders: Sequence[SessionFolder], *, repository_held: bool
    ) -> bool:
        free = True
        for folder in folders:
            try:
                await self._settle_or_leave(folder, repository_held=repository_held)
            except Busy:
                free = False
        return free

    async def settle_all(self, git_common_dir: Path | None = None) -> list[Outcome]:
        """Settle all sessions that nobody looks after, at the same time; see `recover`."""
        folders = list(unfinished(self.settings, git_common_dir))
        outcomes = await asyncio.gather(*(self._settle_unless_busy(folder) for folder in folders))
        return [outcome for outcome in outcomes if outcome is not None]

    async def _settle_unless_busy(self, folder: SessionFolder) -> Outcome | None:
        try:
            return await self._settle_or_leave(folder)
        except Busy:
            return None

    async def _settle_or_leave(
        self, folder: SessionFolder, *, repository_held: bool = False
    ) -> Outcome | None:
        try:
            return await self.settle(folder, repository_held=repository_held)
        except Busy:
            raise
        except (AcdError, OSError) as error:
            logger.warning("session %s cannot be closed yet: %s", folder.path.name, error)
            return None

    async def _settle(
        self,
        folder: SessionFolder,
        started: Started,
        journaled: Journaled,
        repository_held: bool,
    ) -> Outcome:
        record = Record(folder, self.ring)
        adapter = self.load_adapter(started.agent)
        attendant = Attendant(record, started, adapter, self.settings, self.on_progress)
        agent = find_agent(started.session_id, journaled.process)
        process, reason, trouble = None, None, Trouble()
        if agent is not None:
            self._adopt(record, agent, journaled)
            process = FoundProcess(agent)
            with trouble, self._stop_of(started.session_id) as stop:
                reason = await attendant.attend(process, stop)
        ending = await attendant.end(
            process, reason, trouble=_earlier_trouble(journaled) or trouble.verdict
        )
        return await close_session(
            record, adapter, self.settings, ending, self.stop, repository_held=repository_held
        )

    def _stop_of(self, session_id: UUID) -> AbstractContextManager[asyncio.Event]:
        return self.stop_of(session_id) if self.stop_of else nullcontext(self.stop)

    def _adopt(self, record: Record, agent: psutil.Process, journaled: Journaled) -> None:
        logger.info("adopting session %s, its agent lives on", record.folder.path.name)
        record.add(Adopted(**record.now(), host=self.settings.host_name, pid=os.getpid()))
        if journaled.process is None:
            record.add(
                ProcessStarted(
                    **record.now(), pid=agent.pid, created=agent.create_time(), argv=agent.cmdline()
                )
            )


async def recover(
    settings: Settings,
    ring: Ring,
    git_common_dir: Path | None = None,
    *,
    adapters: LoadAdapter = load_adapter,
    stop: asyncio.Event | None = None,
    stop_of: StopOf | None = None,
    on_progress: OnProgress | None = None,
) -> list[Outcome]:
    """Settle every session of this ACD_HOME (or of one repository) that nobody looks after.

    Returns when the adopted agents are done too, so this can take as long as a session.

    Returns:
        How they ended. A session that cannot be closed yet is logged and left to the next call.
    """
    recovery = Recovery(settings, adapters, ring, stop or asyncio.Event(), on_progress, stop_of)
    outcomes = await recovery.settle_all(git_common_dir)
    await remove_stale_worktrees(settings)
    return outcomes


def unfinished(settings: Settings, git_common_dir: Path | None = None) -> Iterator[SessionFolder]:
    """Folders of sessions that have not ended, looked after or not; of one repository when it is given."""
    for folder in unfinished_folders(settings.sessions_dir):
        if _is_of(folder, git_common_dir):
            yield folder


def find_agent(session_id: UUID, fact: ProcessStarted | None) -> psutil.Process | None:
    """The session's agent where it is still alive.

    It is known by its mark. Where the environment cannot be read, its id and start time tell.
    """
    marked = marked_processes(session_id)
    if fact is None:
        return leader_of(marked)
    for process in marked:
        if process.pid == fact.pid:
            return process
    try:
        process = psutil.Process(fact.pid)
        same = process.create_time() == fact.created
    except psutil.NoSuchProcess:
        return None
    return process if same and is_alive(process) else None


def _is_of(folder: SessionFolder, git_common_dir: Path | None) -> bool:
    if git_common_dir is None:
        return True
    started = _started_in(folder)
    return started is not None and started.git_common_dir == str(git_common_dir)


def _started_in(folder: SessionFolder) -> Started | None:
    return next((fact for fact in folder.journal.facts() if isinstance(fact, Started)), None)


def _earlier_trouble(journaled: Journaled) -> Verdict | None:
    """What the dead harness had already found out: why it ended the agent, or why it started none."""
    for failure in reversed(journaled.failures):
        if failure.error_type in {"tampering", "verification"}:
            continue  # found while the session was being closed, which goes on now
        if failure.error_type != "config" or journaled.process is None:
            return Verdict(
                status="failed", error_type=failure.error_type, message=failure.message, ours=True
            )
    return None
