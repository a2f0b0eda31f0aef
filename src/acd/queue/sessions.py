"""Working the one session of a turn: which agent, which models, and what came of it."""

from __future__ import annotations

import asyncio
import logging
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from acd.agents.protocol import Adapter, Binary
from acd.agents.registry import load_adapter
from acd.core.budgets import tighter
from acd.core.errors import AcdError, AgentError, Busy, ConfigError
from acd.core.models import Target
from acd.core.settings import Settings
from acd.harness.consent import consent_needed, without_consent
from acd.harness.outcome import Outcome
from acd.harness.plan import SessionPlan
from acd.harness.record import Ring
from acd.harness.routing import ModelChoice
from acd.harness.session import work_session
from acd.harness.version import find_binary
from acd.queue.budgets import allowance, budget_of
from acd.queue.control import Control
from acd.queue.ending import Ending
from acd.queue.judged import Judged
from acd.queue.lease import Lease
from acd.queue.observer import Observer
from acd.queue.turn import Stop, TargetState, Work

logger = logging.getLogger("acd.queue")


class Tally(msgspec.Struct):
    """Sessions that this process worked. `left` is how many more it may; None: as many as it likes."""

    completed: int = 0
    failed: int = 0
    left: int | None = None

    def take(self) -> bool:
        """Whether one more session may be begun; counts it."""
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0

    def add(self, outcome: Outcome) -> None:
        """Count a session that is over."""
        if outcome.status == "completed":
            self.completed += 1
        else:
            self.failed += 1


class SessionWorker:
    """Works sessions, several at a time, for one process."""

    def __init__(
        self,
        settings: Settings,
        ring: Ring,
        *,
        observer: Observer,
        ending: Ending,
        control: Control,
        lease: Lease,
        tally: Tally,
    ) -> None:
        self._settings = settings
        self._ring = ring
        self._observer = observer
        self._ending = ending
        self._control = control
        self._lease = lease
        self._tally = tally
        self._binaries: dict[str, Binary] = {}
        self._told: set[str] = set()

    def may_begin(self) -> bool:
        """Whether a session may be begun now; the last one that may ends the run."""
        if self._ending.draining.is_set() or self._control.paused:
            return False
        if self._tally.take():
            return True
        self._ending.drain("max_sessions")
        return False

    async def work(
        self,
        state: TargetState,
        step: Work,
        choice: ModelChoice,
        queue_dir: Path | None,
        judged: Judged,
    ) -> Outcome | Stop | None:
        """Work a session of the target.

        Returns:
            How it went; `Stop` where there can be none before a person has changed something; None when we were
            asked to stop before there was one.
        """
        try:
            adapter = load_adapter(state.target.agent)
            binary = await self._binary(adapter)
            await self._tell_of_consent(state.target, adapter)
        except (ConfigError, AgentError) as error:
            return Stop(str(error))
        plan = self._plan(state, step, choice, queue_dir, judged)
        self._observer.session_started(plan)
        try:
            outcome = await self._work(plan, adapter, binary)
        except Busy:
            return None
        except (AcdError, OSError) as error:
            logger.exception("session of %s", state.target.repo_id)
            return Stop(f"{type(error).__name__}: {error}")
        self._tally.add(outcome)
        self._observer.session_ended(state.target, outcome)
        return outcome

    def _plan(
        self,
        state: TargetState,
        step: Work,
        choice: ModelChoice,
        queue_dir: Path | None,
        judged: Judged,
    ) -> SessionPlan:
        budget = tighter(budget_of(self._settings), state.target.budget)
        allowed = allowance(budget, state.spending)
        seconds = min(self._settings.session_timeout, allowed.seconds or math.inf)
        return SessionPlan(
            target=state.target,
            session_type=step.session_type,
            model=choice.model,
            session_number=state.last_number + 1,
            fallback_model=choice.fallback,
            queue_dir=queue_dir,
            until=datetime.now(UTC) + timedelta(seconds=seconds),
            budget_usd=allowed.usd,
            budget_tokens=allowed.tokens,
            given_up=state.given_up(self._settings.feature_attempts),
            rejections=judged.rejections,
            verified=judged.verified,
            to_recheck=judged.to_recheck,
            skipped=state.skipped,
        )

    async def _work(self, plan: SessionPlan, adapter: Adapter, binary: Binary) -> Outcome:
        with (
            self._control.stop_of(plan.session_id) as stop,
            self._lease.guard(plan.session_id, plan.target, stop),
        ):
            return await work_session(
                plan,
                adapter=adapter,
                binary=binary,
                settings=self._settings,
                ring=self._ring,
                on_progress=self._observer.session_progress,
                stop=stop,
            )

    async def _tell_of_consent(self, target: Target, adapter: Adapter) -> None:
        """Once a target: a session that works without its repository's settings may surprise."""
        files = await asyncio.to_thread(
            without_consent, adapter.own_settings, self._settings, Path(target.path)
        )
        if files and target.repo_id not in self._told:
            self._told.add(target.repo_id)
            self._observer.message(consent_needed(target.repo_id, files))

    async def _binary(self, adapter: Adapter) -> Binary:
        """Asking a program for its version starts it: once a process is enough."""
        if adapter.name not in self._binaries:
            self._binaries[adapter.name] = await find_binary(adapter, self._settings)
        return self._binaries[adapter.name]
