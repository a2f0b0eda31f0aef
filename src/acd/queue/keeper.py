"""Budgets while sessions run: looked at twice a second, in the ledger; a session that uses one up is ended in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from acd.core.budgets import Budget, tighter
from acd.core.errors import DatabaseAway
from acd.core.facts import BudgetNoticed
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.harness.record import Record, Ring
from acd.queue.budgets import Share, Spending, Spent, budget_of, shares, used_up_by_running
from acd.queue.control import Control
from acd.queue.look import read_spending
from acd.queue.observer import Observer

logger = logging.getLogger("acd.queue")

_LOOK_S = 0.5
_EVERYBODY = UUID(int=0)
"""Stands for the target where a budget is that of all."""

Notice = Literal["warning", "used_up", "unpriced"]


class _Running(msgspec.Struct, frozen=True):
    """A session that runs, as the ledger has it now."""

    session_id: UUID
    target_id: UUID
    repo_id: str
    budget: Budget
    session: Spent
    today: date


class BudgetKeeper:
    """Keeps the sessions of one process within their budgets.

    While the database is away nobody can say what was used up: the look is made up for when it is back. Until then only
    what agents hold by themselves is held.
    """

    def __init__(
        self, db: Database, settings: Settings, control: Control, observer: Observer, ring: Ring
    ) -> None:
        self._db = db
        self._settings = settings
        self._control = control
        self._observer = observer
        self._ring = ring
        self._own = budget_of(settings)

    async def keep(self) -> None:
        """Look and look again, until cancelled."""
        while True:
            if sessions := self._control.at_work:
                with suppress(DatabaseAway):
                    await self._look(sessions)
            await asyncio.sleep(_LOOK_S)

    async def _look(self, session_ids: Sequence[UUID]) -> None:
        rows = await self._db.fetch_all("budgets.of_sessions", sessions=list(session_ids))
        running = [msgspec.convert(row, _Running) for row in rows]
        bound = {each.session_id: tighter(self._own, each.budget) for each in running}
        held = [each for each in running if bound[each.session_id] != Budget()]
        if not held:
            return
        spending = await read_spending(self._db, [each.target_id for each in held])
        for each in held:
            theirs = spending.get(each.target_id, Spending())
            theirs = msgspec.structs.replace(theirs, session=each.session)
            await self._hold(each, bound[each.session_id], theirs)

    async def _hold(self, running: _Running, budget: Budget, spending: Spending) -> None:
        found = shares(budget, spending)
        used_up = used_up_by_running(found)
        if used_up is not None:
            message = f"used up: {used_up.words}"
            if self._control.end_session(running.session_id, "budget", message):
                await self._tell(running, used_up, "used_up", message)
        for share in found:
            spent: Spent = getattr(spending, share.scope)
            if share.measure == "usd" and spent.unpriced:
                told = f"{spent.unpriced} requests have no known price and are not in it (`acd prices`): set a budget of tokens, too"
                await self._tell(running, share, "unpriced", f"{share.words}; {told}")
            if share is not used_up and float(share.fraction) >= self._settings.budget_warning:
                nearly = "nearly " if share.fraction < 1 else ""
                await self._tell(running, share, "warning", f"{nearly}used up: {share.words}")

    async def _tell(self, running: _Running, share: Share, notice: Notice, message: str) -> None:
        """Tell it once: whoever writes the row first, on whatever machine, tells it."""
        own = share.scope in {"session", "target"}
        part = {"session": str(running.session_id), "day": running.today.isoformat()}
        first = await self._db.fetch_one(
            "budgets.give_notice",
            target_id=running.target_id if own else _EVERYBODY,
            subject=" ".join(filter(None, [share.scope, share.measure, part.get(share.scope, "")])),
            notice=notice,
            bound=share.bound,
            session_id=running.session_id,
            message=message,
        )
        if first is not None:
            self._observer.message(f"{running.repo_id}: {message}")
            self._record(running.session_id, notice, message)

    def _record(self, session_id: UUID, notice: Notice, message: str) -> None:
        """Into the session's timeline, where its journal can be written."""
        folder = SessionFolder(self._settings.sessions_dir / str(session_id))
        record = Record(folder, self._ring)
        try:
            record.add(BudgetNoticed(**record.now(), notice=notice, message=message))
        except OSError as error:
            logger.warning("session %s: its timeline lacks a notice: %s", session_id, error)
