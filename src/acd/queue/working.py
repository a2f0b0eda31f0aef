"""Working a turn: look at a target, work at most one session, say when the next turn comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from acd.core.errors import Busy, ConfigError, QueueFileError
from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.harness.account import account_of_agent
from acd.harness.cloning import in_folder
from acd.harness.outcome import Outcome
from acd.harness.routing import ModelChoice, ModelConfig, choose_model
from acd.ledger.recorder import Recorder
from acd.queue.adopting import Orphans
from acd.queue.beginnings import Beginnings, waiting_for_the_last
from acd.queue.budgets import budget_of
from acd.queue.canary import Canaries
from acd.queue.connector import patiently
from acd.queue.depending import depth
from acd.queue.ending import Ending
from acd.queue.file import QueueFile, read_queue_file
from acd.queue.groups import Groups
from acd.queue.jobs import Turn, Turns
from acd.queue.judged import read_judged
from acd.queue.lease import Lease
from acd.queue.limits import waiting_for_another
from acd.queue.look import decide, plan_targets, queue_file_here, read_states, with_own_limits
from acd.queue.observer import Observer
from acd.queue.placing import Elsewhere, Placing
from acd.queue.sessions import SessionWorker
from acd.queue.succession import Succession
from acd.queue.sync import record_list
from acd.queue.turn import (
    Done,
    PastSession,
    Rules,
    Step,
    Stop,
    TargetState,
    Wait,
    Work,
    next_step,
)
from acd.queue.watch import LatestQueue

logger = logging.getLogger("acd.queue")

_GROUP_WAIT = timedelta(seconds=2)
_RECORDING_S = 1.0


class _Case(msgspec.Struct, frozen=True):
    """A turn with what it is decided by, apart from the target's state."""

    turn: Turn
    choice: ModelChoice
    queue_dir: Path | None
    folder: Path


class TurnWorker:
    """Works turns, several at a time, for one process."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        turns: Turns,
        recorder: Recorder,
        *,
        sessions: SessionWorker,
        latest: LatestQueue | None,
        observer: Observer,
        ending: Ending,
        orphans: Orphans,
        lease: Lease,
        succession: Succession,
    ) -> None:
        self._db = db
        self._settings = settings
        self._turns = turns
        self._recorder = recorder
        self._sessions = sessions
        self._latest = latest
        self._observer = observer
        self._ending = ending
        self._orphans = orphans
        self._lease = lease
        self._placing = Placing(db, settings, lease, self._tell)
        self._succession = succession
        self._groups = Groups(db, settings, ending.giving_up, orphans.work_in)
        self._budget = budget_of(settings)
        self._beginnings = Beginnings(db, self._budget, ending.giving_up)
        self._canaries = Canaries(db, settings, ending.giving_up)

    async def begin(
        self, queue: QueueFile, targets: Sequence[Target], since: datetime, *, once: bool
    ) -> None:
        """Begin the turns of some targets of a queue file anew. What is over already gets none.

        Args:
            queue: the file that names them.
            targets: those of it that are meant.
            since: failures before it do not count.
            once: one session of each is enough.

        Raises:
            DatabaseError: it refused, or it is away and nobody waits for it any more.
        """
        ids = [target.id for target in targets]
        if not ids:
            return
        await self._turns.withdraw(set(ids))
        states = await patiently(
            lambda: read_states(self._db, since, ids, budget=self._budget), self._ending.giving_up
        )
        abroad = [each for each in states if self._placing.may_be_elsewhere(each.target)]
        states = [self._as_looked_at(each) for each in states if each not in abroad]
        planned = await plan_targets(states, queue, self._settings, once=once)
        to_work = [each.target for each in planned if isinstance(each.step, Work)]
        to_work += [each.target for each in abroad]
        await self._turns.defer([(Turn(each.id, since, once), each) for each in to_work])
        by_id = {target.repo_id: target for target in queue.targets}
        # What depends on others comes after them, so that it sees whether they are going to be worked.
        for state, each in sorted(
            zip(states, planned, strict=True), key=lambda pair: depth(pair[0].target, by_id)
        ):
            if not isinstance(each.step, Work):
                await self._go_on(Turn(state.target.id, since, once), state, each.step)

    async def work(self, turn: Turn) -> None:
        """Work a turn.

        Raises:
            DatabaseAway: it is away and nobody waits for it any more; the turn comes again when its job is found.
            DatabaseError: it refused; likewise.
        """
        state = await self._state(turn)
        if state is None:  # a target that was deleted by hand
            return
        if not state.target.enabled or state.status == "paused":
            await self._go_on(turn, state, next_step(state, None, Rules(), _now()))
            return
        at_home = queue_file_here(state, self._settings.host_name) is not None
        try:
            place = await self._placing.take(state.target, at_home=at_home)
        except ConfigError as error:
            await self._go_on(turn, state, Stop(f"config: {error}"))
            return
        if isinstance(place, Elsewhere):
            if place.for_good and at_home and not self._lease.others:
                await self._go_on(turn, state, Stop(f"{place.reason}; no other machine is at work"))
            else:
                await self._leave(turn, state, place)
            return
        try:
            await self._work_here(turn, place.folder)
        finally:
            await self._lease.release(state.target.id)

    async def _leave(self, turn: Turn, state: TargetState, place: Elsewhere) -> None:
        """Leave the turn to others; one that is told nothing of it is one that is found again."""
        await self._turns.defer([(turn, state.target)])
        logger.info("%s: left to others: %s", state.target.repo_id, place.reason)

    async def _work_here(self, turn: Turn, folder: Path) -> None:
        await self._orphans.gone_from(turn.target_id, folder, self._ending.stopping)
        state = await self._state(turn)
        if state is None:
            return
        models, queue_dir = await self._queue_of(state)
        case = _Case(turn, choose_model(state.target.complexity, models), queue_dir, folder)
        state = _in_folder(state, folder)
        step = await self._decide(case, state)
        await self._block_features(state)
        if isinstance(step, Work):
            kept_on = self._orphans.take_kept_on(turn.target_id)
            if kept_on is not None:
                step = _to_be_merged(state.target, kept_on)
            else:
                state, step = await self._work_in_group(case, state, step)
        elif isinstance(step, Done) and step.status == "complete":
            await self._record_list(state.target, queue_dir)
        if not await self._lease.is_anothers(state.target.id):  # else that one goes on with it
            await self._go_on(turn, state, step)

    async def _record_list(self, target: Target, queue_dir: Path | None) -> None:
        """What others completed (a target that shares the list, a person) is not in the target's rows yet."""
        host = self._settings.host_name
        problem = await patiently(
            lambda: record_list(self._db, target, queue_dir, host), self._ending.giving_up
        )
        if problem:
            self._observer.message(problem)

    def _tell(self, news: str) -> None:
        self._observer.message(news, warning=False)

    def _as_looked_at(self, state: TargetState) -> TargetState:
        return msgspec.structs.replace(state, target=self._placing.look_of(state.target))

    async def _state(self, turn: Turn) -> TargetState | None:
        """What the database knows once everything that this process did is in it."""
        while not await self._recorder.settle(_RECORDING_S):
            if self._ending.giving_up.is_set():
                break
        states = await patiently(
            lambda: read_states(self._db, turn.since, [turn.target_id], budget=self._budget),
            self._ending.giving_up,
        )
        return states[0] if states else None

    async def _queue_of(self, state: TargetState) -> tuple[ModelConfig, Path | None]:
        """The models and the folder of the queue file that names a target: ours, or another one of this machine.

        A worker of another machine has neither: it works with the usual models.
        """
        path = queue_file_here(state, self._settings.host_name)
        latest = self._latest.queue if self._latest else None
        if latest and path in (None, latest.path):
            return latest.models, latest.folder
        if path is None:
            return ModelConfig(), None
        try:
            return (await asyncio.to_thread(read_queue_file, path)).models, path.parent
        except QueueFileError as error:
            self._observer.message(f"{error}; its targets are worked with the usual models")
            return ModelConfig(), path.parent

    async def _decide(
        self, case: _Case, state: TargetState, resets_at: datetime | None = None
    ) -> Step:
        return await decide(
            _in_folder(state, case.folder),
            case.queue_dir,
            self._settings,
            case.choice,
            once=case.turn.once,
            resets_at=resets_at,
        )

    async def _work_in_group(
        self, case: _Case, state: TargetState, step: Work
    ) -> tuple[TargetState, Step]:
        """Work the session unless another target of its serial group is being worked, on any machine."""
        group = state.target.serial_group
        await self._succession.seen(state, step)
        try:
            async with self._groups.held(group):
                return await self._work(case, state, step)
        except Busy:
            return state, Wait(_now() + _GROUP_WAIT, f"serial group {group}")

    async def _work(self, case: _Case, state: TargetState, step: Work) -> tuple[TargetState, Step]:
        """Work the session; what is known and due afterwards."""
        target, account = state.target, ""
        if step.canary:
            state = await with_own_limits(state, self._settings)
            account = state.limits[0].account if state.limits else ""
            if not await self._canaries.may_go(target, state.last_number + 1, step.canary, account):
                return state, waiting_for_another(target.agent, state.limits, step.canary, _now())
        try:
            return await self._work_now(case, state, step)
        finally:
            if step.canary:
                await self._state(case.turn)
                await self._canaries.over(target.agent, target.id, account)

    async def _work_now(
        self, case: _Case, state: TargetState, step: Work
    ) -> tuple[TargetState, Step]:
        if not await self._beginnings.may_begin(state.target, state.last_number + 1):
            return state, waiting_for_the_last(_now())
        if not self._sessions.may_begin():
            return state, step
        if state.status == "blocked":
            await self._mark(state.target, "active", None)
        judged = await patiently(
            lambda: read_judged(self._db, state.target.id), self._ending.giving_up
        )
        outcome = await self._sessions.work(state, step, case.choice, case.queue_dir, judged)
        if outcome is None:
            return state, step
        if isinstance(outcome, Stop):
            return state, outcome
        after = _with(await self._state(case.turn) or state, outcome)
        if outcome.error_type == "rate_limit" and outcome.resets_at is None:
            after = await self._refused(case.turn, after, outcome)
        if outcome.kept_on is not None:
            return after, _to_be_merged(state.target, outcome.kept_on)
        return after, await self._decide(case, after, outcome.resets_at)

    async def _refused(self, turn: Turn, state: TargetState, outcome: Outcome) -> TargetState:
        """What is known once it is counted that the account refused a session and told no reason to wait for."""
        agent = state.target.agent
        account = await asyncio.to_thread(account_of_agent, agent, self._settings)
        await self._canaries.refused(agent, account)
        return _with(await self._state(turn) or state, outcome)

    async def _go_on(self, turn: Turn, state: TargetState, step: Step) -> None:
        """Let the next turn come, or say why there is none."""
        target = state.target
        if state.rejections:
            await self._block_features(state)
        step = await self._succession.seen(state, step)
        match step:
            case Work():
                await self._turns.defer([(turn, target)])
            case Wait(until=until, reason=reason, cause=cause):
                if not turn.once:
                    await self._turns.defer([(turn, target)], until)
                self._observer.target_waiting(target, until, reason, cause)
            case Done(status=status):
                if status is not None and status != state.status:
                    await self._mark(target, status, None)
                if status == "complete":
                    await self._succession.wake(turn, target)
                self._observer.target_settled(target, step)
            case Stop(reason=reason):
                await self._mark(target, "blocked", reason)
                await self._succession.wake(turn, target)
                self._observer.target_settled(target, step)

    async def _block_features(self, state: TargetState) -> None:
        keys = state.given_up(self._settings.feature_attempts)
        await patiently(
            lambda: self._db.execute("queue.block_features", target_id=state.target.id, keys=keys),
            self._ending.giving_up,
        )

    async def _mark(self, target: Target, status: str, reason: str | None) -> None:
        await patiently(
            lambda: self._db.execute(
                "queue.mark_target", target_id=target.id, status=status, reason=reason
            ),
            self._ending.giving_up,
        )


def _to_be_merged(target: Target, branch: str) -> Stop:
    """The next session would begin without these commits, and do the same work again."""
    return Stop(
        f"its commits are on branch {branch}, for you to merge (ACD_MERGE is none); then `acd unblock {target.repo_id}`"
    )


def _in_folder(state: TargetState, folder: Path) -> TargetState:
    return msgspec.structs.replace(state, target=in_folder(state.target, folder))


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
