"""Working a turn: look at a target, work at most one session, say when the next turn comes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from acd.agents.protocol import Adapter, Binary
from acd.agents.registry import load_adapter
from acd.core.errors import AcdError, AgentError, Busy, ConfigError
from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.locks import hold
from acd.harness.outcome import Outcome
from acd.harness.plan import SessionPlan
from acd.harness.routing import ModelChoice, ModelConfig, choose_model
from acd.harness.session import work_session
from acd.harness.version import find_binary
from acd.ledger.recorder import Recorder
from acd.queue.adopting import Orphans
from acd.queue.connector import patiently
from acd.queue.ending import Ending
from acd.queue.jobs import Turn, Turns
from acd.queue.look import decide, plan_targets, read_states
from acd.queue.observer import Observer
from acd.queue.turn import Done, PastSession, Step, Stop, TargetState, Wait, Work
from acd.queue.watch import LatestQueue

logger = logging.getLogger("acd.queue")

_GROUP_WAIT = timedelta(seconds=2)
_RECORDING = 1.0


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


class TurnWorker:
    """Works turns, several at a time, for one process."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        turns: Turns,
        recorder: Recorder,
        *,
        latest: LatestQueue | None,
        observer: Observer,
        ending: Ending,
        orphans: Orphans,
        tally: Tally,
    ) -> None:
        self._db = db
        self._settings = settings
        self._turns = turns
        self._recorder = recorder
        self._latest = latest
        self._observer = observer
        self._ending = ending
        self._orphans = orphans
        self._tally = tally
        self._binaries: dict[str, Binary] = {}

    async def work(self, turn: Turn) -> None:
        """Work a turn.

        Raises:
            DatabaseAway: it is away and nobody waits for it any more; the turn comes again when its job is found.
            DatabaseError: it refused; likewise.
        """
        state = await self._state(turn)
        if state is None:
            return
        await self._orphans.gone_from(Path(state.target.path), self._ending.stopping)
        state = await self._state(turn)
        if state is None or self._ending.stopping.is_set():
            return
        choice = choose_model(state.target.complexity, self._models)
        step = await self._decide(turn, state, choice)
        if isinstance(step, Work):
            async with self._group(state.target) as free:
                if free:
                    state, step = await self._work(turn, state, step, choice)
                else:
                    step = Wait(_now() + _GROUP_WAIT, f"serial group {state.target.serial_group}")
        await self._go_on(turn, state, step)

    async def begin(self, targets: Sequence[Target], since: datetime, *, once: bool) -> None:
        """Begin the turns of targets anew: failures before `since` do not count. What is over already gets none.

        Raises:
            DatabaseError: it refused, or it is away and nobody waits for it any more.
        """
        ids = [target.id for target in targets]
        if not ids:
            return
        await self._turns.withdraw(set(ids))
        states = await patiently(lambda: read_states(self._db, since, ids), self._ending.giving_up)
        planned = await plan_targets(
            states, self._queue_dir, self._models, self._settings, once=once
        )
        steps = [
            (Turn(state.target.id, since, once), state, each.step)
            for state, each in zip(states, planned, strict=True)
        ]
        await self._turns.defer(
            [(turn, state.target) for turn, state, step in steps if isinstance(step, Work)]
        )
        for turn, state, step in steps:
            if not isinstance(step, Work):
                await self._go_on(turn, state, step)

    @property
    def _models(self) -> ModelConfig:
        return self._latest.queue.models if self._latest else ModelConfig()

    @property
    def _queue_dir(self) -> Path | None:
        return self._latest.queue.folder if self._latest else None

    async def _state(self, turn: Turn) -> TargetState | None:
        """What the database knows once everything that this process did is in it."""
        while not await self._recorder.settle(_RECORDING):
            if self._ending.giving_up.is_set():
                break
        states = await patiently(
            lambda: read_states(self._db, turn.since, [turn.target_id]), self._ending.giving_up
        )
        return states[0] if states else None

    async def _decide(
        self,
        turn: Turn,
        state: TargetState,
        choice: ModelChoice,
        resets_at: datetime | None = None,
    ) -> Step:
        return await decide(
            state, self._queue_dir, self._settings, choice, once=turn.once, resets_at=resets_at
        )

    @asynccontextmanager
    async def _group(self, target: Target) -> AsyncIterator[bool]:
        """Hold the target's serial group; False when another target of it is being worked on this machine."""
        with ExitStack() as held:
            yield target.serial_group is None or self._enter_group(target.serial_group, held)

    def _enter_group(self, group: str, held: ExitStack) -> bool:
        name = hashlib.sha256(group.encode()).hexdigest()[:16]
        try:
            held.enter_context(hold(self._settings.locks_dir / f"group-{name}.lock"))
        except Busy:
            return False
        return True

    async def _work(
        self, turn: Turn, state: TargetState, step: Work, choice: ModelChoice
    ) -> tuple[TargetState, Step]:
        """Work the session; what is known and due afterwards."""
        if self._ending.draining.is_set():
            return state, step
        if not self._tally.take():
            self._ending.drain("max_sessions")
            return state, step
        try:
            adapter = load_adapter(state.target.agent)
            binary = await self._binary(adapter)
        except (ConfigError, AgentError) as error:
            return state, Stop(str(error))
        if state.status == "blocked":
            await self._mark(state.target, "active", None)
        try:
            outcome = await self._session(state, step, choice, adapter, binary)
        except Busy:  # asked to stop while the repository was still in use
            return state, step
        except (AcdError, OSError) as error:
            logger.exception("session of %s", state.target.repo_id)
            return state, Stop(f"{type(error).__name__}: {error}")
        after = await self._state(turn) or state
        after = _with(after, outcome)
        return after, await self._decide(turn, after, choice, outcome.resets_at)

    async def _session(
        self,
        state: TargetState,
        step: Work,
        choice: ModelChoice,
        adapter: Adapter,
        binary: Binary,
    ) -> Outcome:
        """Work one session; errors as `work_session`."""
        plan = SessionPlan(
            target=state.target,
            session_type=step.session_type,
            model=choice.model,
            session_number=state.last_number + 1,
            fallback_model=choice.fallback,
            queue_dir=self._queue_dir,
        )
        self._observer.session_started(plan)
        outcome = await work_session(
            plan,
            adapter=adapter,
            binary=binary,
            settings=self._settings,
            ring=self._recorder.ring,
            on_progress=self._observer.session_progress,
            stop=self._ending.stopping,
        )
        if outcome.status == "completed":
            self._tally.completed += 1
        else:
            self._tally.failed += 1
        self._observer.session_ended(state.target, outcome)
        return outcome

    async def _binary(self, adapter: Adapter) -> Binary:
        """Asking a program for its version starts it: once a process is enough."""
        if adapter.name not in self._binaries:
            self._binaries[adapter.name] = await find_binary(adapter, self._settings)
        return self._binaries[adapter.name]

    async def _go_on(self, turn: Turn, state: TargetState, step: Step) -> None:
        """Let the next turn come, or say why there is none."""
        target = state.target
        match step:
            case Work():
                await self._turns.defer([(turn, target)])
            case Wait(until=until, reason=reason):
                if not turn.once:
                    await self._turns.defer([(turn, target)], until)
                self._observer.target_waiting(target, until, reason)
            case Done(status=status):
                if status is not None and status != state.status:
                    await self._mark(target, status, None)
                self._observer.target_settled(target, step)
            case Stop(reason=reason):
                await self._mark(target, "blocked", reason)
                self._observer.target_settled(target, step)

    async def _mark(self, target: Target, status: str, reason: str | None) -> None:
        await patiently(
            lambda: self._db.execute(
                "queue.mark_target", target_id=target.id, status=status, reason=reason
            ),
            self._ending.giving_up,
        )


def _with(state: TargetState, outcome: Outcome) -> TargetState:
    """The state with a session that left no row: one that was refused before it began (no space on the disk)."""
    if outcome.status == "completed" or any(past.id == outcome.session_id for past in state.recent):
        return state
    past = PastSession(
        outcome.session_id, outcome.status, outcome.error_type, outcome.error_message, _now()
    )
    return msgspec.structs.replace(state, recent=[past, *state.recent])


def _now() -> datetime:
    return datetime.now(UTC)
