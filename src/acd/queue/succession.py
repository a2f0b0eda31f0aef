"""What follows for turns from `dependsOn`: waiting is noted, hopeless waiting ends, completion wakes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from acd.core.models import Target
from acd.database.connection import Database
from acd.queue.connector import patiently
from acd.queue.depending import WAITS
from acd.queue.jobs import Turn, Turns, Waiting
from acd.queue.look import read_states
from acd.queue.state import TargetState
from acd.queue.steps import Done, Step, Wait


class Succession:
    """For one process. `only`: the targets that it works (None: all); others are not woken by it."""

    def __init__(
        self, db: Database, turns: Turns, give_up: asyncio.Event, only: set[UUID] | None
    ) -> None:
        self._db = db
        self._turns = turns
        self._give_up = give_up
        self._only = only

    async def seen(self, state: TargetState, step: Step) -> Step:
        """The step, or its end where nobody works what it waits for; the target's reason says what it waits for.

        Raises:
            DatabaseError: as `patiently`.
        """
        if isinstance(step, Wait) and step.waits_for:
            coming = {each.turn.target_id for each in await self._turns.waiting()}
            if coming.isdisjoint(step.waits_for):
                step = Done(f"{step.reason}, on which nothing is to be done now", waiting=True)
        await self._note(state, step)
        return step

    async def _note(self, state: TargetState, step: Step) -> None:
        waiting = isinstance(step, Done) and step.waiting
        if waiting or (isinstance(step, Wait) and step.waits_for):
            reason: str | None = step.reason
        elif (state.status_reason or "").startswith(WAITS) and state.status != "complete":
            reason = None
        else:
            return
        status = state.status if state.status in ("active", "pending") else "pending"
        if (status, reason) != (state.status, state.status_reason):
            await patiently(
                lambda: self._db.execute(
                    "queue.mark_target", target_id=state.target.id, status=status, reason=reason
                ),
                self._give_up,
            )

    async def wake(self, turn: Turn, settled: Target) -> None:
        """Let the targets that wait for this one look again now: it was completed, or blocked, in `turn`.

        Raises:
            DatabaseError: as `patiently`.
        """
        rows = await patiently(
            lambda: self._db.fetch_all("queue.dependents", repo_id=settled.repo_id),
            self._give_up,
        )
        ids = [row["id"] for row in rows if self._only is None or row["id"] in self._only]
        if not ids:
            return
        states = await patiently(
            lambda: read_states(self._db, datetime.now(UTC), ids), self._give_up
        )
        coming = {each.turn.target_id: each for each in await self._turns.waiting()}
        for state in states:
            await self._look_again(state, turn, coming.get(state.target.id))

    async def _look_again(self, state: TargetState, turn: Turn, known: Waiting | None) -> None:
        target = state.target
        if known is None and not state.waits_for:
            turn = msgspec.structs.replace(turn, target_id=target.id)
        elif known is not None and known.due is not None and not known.running:
            turn = known.turn
            await self._turns.withdraw({target.id})
        else:
            return
        await self._turns.defer([(turn, target)])
