"""One session from prompt to outcome."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from acd.agents.protocol import Adapter, Binary, Launch
from acd.agents.registry import load_adapter
from acd.core.errors import Busy
from acd.core.facts import FeaturesSeen, ProcessStarted, Started
from acd.core.families import family_of
from acd.core.settings import Settings
from acd.core.text import shorten
from acd.files.folder import SessionFolder
from acd.files.locks import wait_for
from acd.harness.account import account_of
from acd.harness.attend import Attendant, OnProgress
from acd.harness.closing import close_session
from acd.harness.consent import without_consent
from acd.harness.environment import agent_environment, names_in
from acd.harness.outcome import Ending, Outcome, Verdict
from acd.harness.permissions import permissions_of, push_guard
from acd.harness.plan import SessionPlan
from acd.harness.preparation import Preparation
from acd.harness.process import ChildProcess, start_process
from acd.harness.record import Record, Ring
from acd.harness.recovery import Recovery
from acd.harness.stopping import reason_of
from acd.harness.trouble import Trouble
from acd.harness.watch import EndReason
from acd.harness.workspace import repository_lock, target_lock

_BUSY_POLL = 0.2
_KEPT_ARGUMENT = 200
"""Characters of each argument that the journal keeps; one of them is the prompt."""


async def work_session(
    plan: SessionPlan,
    *,
    adapter: Adapter,
    binary: Binary,
    settings: Settings,
    ring: Ring,
    on_progress: OnProgress | None,
    stop: asyncio.Event,
) -> Outcome:
    """Work one session, as soon as nobody else works on its repository.

    Sessions of the repository whose harness died are settled first. With less free space than the settings' floor
    no session is started and nothing recorded: the outcome says `disk_full`.

    Args:
        plan: what to do.
        adapter: the agent's adapter.
        binary: the agent's program, its version already checked.
        settings: limits and places.
        ring: called after each fact and on new output.
        on_progress: shown the live state.
        stop: once set, the agent is ended in order and the session fails as `interrupted`. Cancelling this call does
            the same at once, with KILL.

    Raises:
        Busy: `stop` was set while the repository was still in use; nothing was started.
        StuckProcessError: processes of the agent cannot be ended; the session stays open for `recover`.
        OSError: the journal cannot be written; likewise.
    """
    if refusal := _refuse_without_space(plan, settings):
        return refusal
    session = _Session(plan, adapter, binary, settings, ring, stop, on_progress)
    preparation = Preparation(plan, settings)
    await preparation.find_repository()
    return await session.work(preparation)


def _refuse_without_space(plan: SessionPlan, settings: Settings) -> Outcome | None:
    place = next(
        path for path in (settings.home, *settings.home.absolute().parents) if path.is_dir()
    )
    free = shutil.disk_usage(place).free
    if free >= settings.free_space_floor:
        return None
    message = f"{free} bytes are free at {place}; no session starts with less than {settings.free_space_floor}"
    return Outcome(
        session_id=plan.session_id,
        status="failed",
        error_type="disk_full",
        error_message=message,
        retryable=True,
    )


@dataclass
class Held:
    """Locks of a session, by their descriptors; `lock` lets go of the repository before the session's end."""

    target: int | None = None
    repository: int | None = None
    lock: AsyncExitStack | None = None

    @property
    def descriptors(self) -> list[int]:
        """What the agent is to hold, too."""
        return [each for each in (self.target, self.repository) if each is not None]

    async def let_go_of_repository(self) -> None:
        """Others may have it."""
        self.repository = None
        if self.lock is not None:
            await self.lock.aclose()


@dataclass
class _Session:
    plan: SessionPlan
    adapter: Adapter
    binary: Binary
    settings: Settings
    ring: Ring
    stop: asyncio.Event
    on_progress: OnProgress | None

    async def work(self, preparation: Preparation) -> Outcome:
        """Hold target and repository, settle what others left behind on them, then do our own work."""
        recovery = Recovery(self.settings, self._load_adapter, self.ring, self.stop)
        common_dir, target = preparation.git_common_dir, self.plan.target
        while True:
            async with target_lock(common_dir, target, self.stop) as held:
                if common_dir is None:
                    return await self._work_alone(preparation, Held())
                if await recovery.settle_target(common_dir, target):
                    async with AsyncExitStack() as repository:
                        lock = repository_lock(common_dir, self.stop)
                        both = Held(held, await repository.enter_async_context(lock), repository)
                        if await recovery.settle_repository(common_dir):
                            return await self._work_alone(preparation, both)
            if self.stop.is_set():
                raise Busy(f"a session of another harness on {common_dir} is still being closed")
            await asyncio.sleep(_BUSY_POLL)

    def _load_adapter(self, name: str) -> Adapter:
        return self.adapter if name == self.adapter.name else load_adapter(name)

    async def _work_alone(self, preparation: Preparation, held: Held) -> Outcome:
        folder = SessionFolder(self.settings.sessions_dir / str(self.plan.session_id))
        folder.create()
        async with wait_for(folder.lock):
            began = time.monotonic()
            await preparation.look()
            record = Record(folder, self.ring)
            started = self._started(preparation, record)
            record.add(started)
            if preparation.seen is not None:
                folder.keep({folder.list_before.name: preparation.seen.data})
                record.add(
                    FeaturesSeen(
                        **record.now(),
                        when="before",
                        features=preparation.seen.features,
                        commit=preparation.head,
                    )
                )
            if started.worktree is not None:
                await held.let_go_of_repository()
            attendant = Attendant(record, started, self.adapter, self.settings, self.on_progress)
            agent = _Agent(self, record, attendant, preparation, held)
            cancelled = await agent.run()
            try:
                ending = await agent.end(began, grace=0 if cancelled else None)
            except asyncio.CancelledError:  # while it was given time to end in order
                cancelled = True
                ending = await agent.end(began, grace=0)
            outcome = await close_session(
                record,
                self.adapter,
                self.settings,
                ending,
                _set() if cancelled else self.stop,
                repository_held=held.repository is not None,
            )
            folder.lock.unlink()
        if cancelled:
            raise asyncio.CancelledError
        return outcome

    def _started(self, preparation: Preparation, record: Record) -> Started:
        plan = self.plan
        common_dir = preparation.git_common_dir
        return Started(
            **record.now(),
            session_id=plan.session_id,
            target=plan.target,
            session_type=plan.session_type,
            origin="harness",
            agent=self.adapter.name,
            account=account_of(self.adapter, self.settings),
            agent_version=self.binary.version,
            model=family_of(plan.model) or plan.model,
            host=self.settings.host_name,
            session_number=plan.session_number,
            branch=preparation.branch,
            head_before=preparation.head,
            prompt_sha256=preparation.prompt_sha256,
            workspace=str(preparation.workspace.path),
            feature_list=str(preparation.workspace.feature_list),
            verified=plan.verified,
            reverify=preparation.reverify,
            git_common_dir=str(common_dir) if common_dir else None,
            queue_dir=str(plan.queue_dir) if plan.queue_dir else None,
            isolation="worktree" if preparation.workspace.worktree else "in-place",
            worktree=str(preparation.workspace.worktree)
            if preparation.workspace.worktree
            else None,
            base_branch=preparation.base_branch,
            billing=None if self.settings.billing == "auto" else self.settings.billing,
        )


def _set() -> asyncio.Event:
    """An event that has happened."""
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class _Agent:
    """The part of a session in which its agent runs."""

    session: _Session
    record: Record
    attendant: Attendant
    preparation: Preparation
    held: Held
    process: ChildProcess | None = None
    reason: EndReason | None = None

    async def run(self) -> bool:
        """Start the agent, if everything is there, and attend it; whether we were cancelled."""
        trouble: Trouble = self.preparation.trouble
        if trouble.verdict is not None:
            return False
        if self.session.stop.is_set():
            self.reason = "stopped"
            return False
        try:
            with trouble:
                self._start()
                self.reason = await self._attend()
        except asyncio.CancelledError:
            self.reason = "stopped"
            return True
        return False

    async def end(self, began: float, grace: float | None) -> Ending:
        """See that no process of it is left; see `Attendant.end`."""
        return await self.attendant.end(
            self.process,
            self.reason,
            trouble=self.preparation.trouble.verdict or self._why_stopped(),
            grace=grace,
            duration_ms=round((time.monotonic() - began) * 1000),
        )

    def _why_stopped(self) -> Verdict | None:
        """The attendant knows only of an agent that was attended."""
        return reason_of(self.session.stop) if self.reason == "stopped" else None

    def _start(self) -> None:
        session, plan = self.session, self.session.plan
        launch = Launch(
            session_id=plan.session_id,
            session_type=plan.session_type,
            prompt=self.preparation.prompt,
            model=plan.model,
            workspace=self.preparation.workspace.path,
            session_dir=self.record.folder.path,
            fallback_model=plan.fallback_model,
            budget_usd=plan.budget_usd or session.settings.session_budget_usd,
            max_turns=session.settings.max_turns,
            permissions=permissions_of(
                session.settings,
                plan.target,
                self.preparation.workspace,
                self.preparation.git_common_dir,
                own_settings=not self._not_loaded(),
            ),
        )
        self.record.folder.keep(session.adapter.session_files(launch, session.settings))
        argv = session.adapter.command(session.binary, launch, session.settings)
        self.process = start_process(
            argv,
            self.record.folder,
            self.preparation.workspace.path,
            self._environment(launch),
            keep_open=self.held.descriptors,
        )
        self.record.add(
            ProcessStarted(
                **self.record.now(),
                pid=self.process.pid,
                created=self.process.created,
                argv=[shorten(argument, _KEPT_ARGUMENT) for argument in argv],
            )
        )

    def _not_loaded(self) -> list[str]:
        """Files of the repository that would set the agent up and that nobody consented to."""
        common_dir, workspace = self.preparation.git_common_dir, self.preparation.workspace.path
        places = [workspace, *([common_dir.parent] if common_dir else [])]
        target = Path(self.session.plan.target.path)
        return without_consent(
            self.session.adapter.own_settings, self.session.settings, target, places
        )

    def _environment(self, launch: Launch) -> dict[str, str]:
        session = self.session
        return agent_environment(
            os.environ,
            launch.session_id,
            inherit=[*session.adapter.environment_names, *names_in(session.settings.agent_env)],
            extra={
                **self.preparation.identity,
                **push_guard(session.settings),
                **session.adapter.environment(launch, session.settings),
            },
        )

    async def _attend(self) -> EndReason:
        assert self.process is not None  # noqa: S101 - `_start` came first
        deadline = self.session.plan.deadline
        left = (deadline - datetime.now(UTC)).total_seconds() if deadline else None
        return await self.attendant.attend(self.process, self.session.stop, left)
