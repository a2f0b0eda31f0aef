"""What runs, what waits and why, until when: read from the database alone, the same on every machine."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from acd.core.budgets import Budget
from acd.core.contract import RunningSession, TargetName
from acd.core.queue_rows import Budgets, Limit, Queue, QueueEntry
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.budgets import budget_of
from acd.queue.depending import waits_for
from acd.queue.jobs import TURN, Turn
from acd.queue.look import read_states
from acd.queue.turn import TargetState, Wait, failures_in_a_row, next_step, rules_of
from acd.reports import live
from acd.reports.rows import rows_of

_TURNS = (
    "SELECT args, status::text AS status, scheduled_at FROM acd_queue.procrastinate_jobs "
    "WHERE task_name = %(turn)s AND status IN ('todo', 'doing')"
)


_WAITS = "waits for a free worker"
# No session began at or after it: of targets without a turn nothing counts.
_NEVER = datetime.max.replace(tzinfo=UTC)
_SIZE = 256 * 1024


class _Planned(msgspec.Struct, frozen=True):
    turn: Turn
    due: datetime | None


class _Standing(msgspec.Struct, frozen=True):
    """What is stored: what the queue was told, and each target with the turn that is to come."""

    state: Any
    targets: list[tuple[TargetState, _Planned | None]]


async def read_queue(db: Database, settings: Settings) -> Queue:
    """Where every target stands, by priority.

    Raises:
        DatabaseError: as `Database.fetch_all`.
    """
    budget = budget_of(settings)
    runs, stored, left, limits = await asyncio.gather(
        live.running(db),
        db.while_unchanged(
            "queue.standing", lambda exact: _read_standing(exact, budget), size=_SIZE
        ),
        db.fetch_all("fleet.left_by_all"),
        live.limits(db),
    )
    running = rows_of(runs, RunningSession)
    sessions = {row.target.repo_id: row.id for row in running}
    nobody: dict[UUID, str] = {row["target_id"]: row["reason"] for row in left}
    return Queue(
        state=stored.state,
        running=running,
        targets=[
            _entry(
                state,
                planned,
                sessions.get(state.target.repo_id),
                nobody.get(state.target.id, _WAITS) if nobody else _WAITS,
                settings,
            )
            for state, planned in stored.targets
        ],
        limits=rows_of(limits, Limit),
        budgets=Budgets(
            concurrency=settings.concurrency,
            session_timeout_s=settings.session_timeout,
            session_budget_usd=settings.session_budget_usd,
            max_turns=settings.max_turns,
            max_failures=settings.max_failures,
        ),
    )


async def _read_standing(db: Database, budget: Budget) -> _Standing:
    told = await db.fetch_one("live.told")
    planned = await _planned(db)
    states = await _states(db, planned, budget)
    return _Standing(
        state=told["state"] if told else "running",
        targets=[(state, planned.get(target_id)) for target_id, state in states.items()],
    )


async def _planned(db: Database) -> dict[UUID, _Planned]:
    """The turns that are to come. The engine's tables are made by the first run: before it there is none."""
    schema = await db.fetch_one("queue.jobs_schema")
    if schema is None or not schema["present"]:
        return {}
    async with db.transaction() as transaction:
        rows = await transaction.fetch_foreign(_TURNS, {"turn": TURN})
    turns = [_Planned(msgspec.convert(row["args"], Turn), _due(row)) for row in rows]
    return {planned.turn.target_id: planned for planned in turns}


def _due(row: dict[str, Any]) -> datetime | None:
    due: datetime | None = row["scheduled_at"]
    return due if row["status"] == "todo" else None


async def _states(
    db: Database, planned: dict[UUID, _Planned], budget: Budget
) -> dict[UUID, TargetState]:
    """All targets; failures count from the moment at which a target's turns were begun."""
    begun: dict[datetime, list[UUID]] = defaultdict(list)
    for target_id, each in planned.items():
        begun[each.turn.since].append(target_id)
    known = {state.target.id: state for state in await read_states(db, _NEVER, budget=budget)}
    for since, target_ids in begun.items():
        states = await read_states(db, since, target_ids, budget=budget)
        known |= {state.target.id: state for state in states}
    return known


def _entry(
    state: TargetState,
    planned: _Planned | None,
    session_id: UUID | None,
    waits_for: str,
    settings: Settings,
) -> QueueEntry:
    word, reason, until = _word(state, planned, session_id, waits_for, settings)
    return QueueEntry(
        target=TargetName(name=state.target.name, repo_id=state.target.repo_id),
        priority=state.target.priority,
        state=word,
        reason=reason,
        until=until,
        sessions_used=state.sessions_used,
        max_sessions=state.target.max_sessions,
        failures_in_a_row=len(failures_in_a_row(state.recent)),
        session_id=session_id,
    )


def _word(
    state: TargetState,
    planned: _Planned | None,
    session_id: UUID | None,
    waits_for: str,
    settings: Settings,
) -> tuple[Any, str, datetime | None]:
    if session_id is not None:
        return "running", "a session runs", None
    if not state.target.enabled or state.status == "paused":
        return "paused", state.status_reason or "disabled", None
    if planned is None:
        return _without_a_turn(state)
    if planned.due is None or planned.due <= _now():
        return "due", waits_for, None
    step = next_step(state, None, rules_of(settings), _now())
    reason = step.reason if isinstance(step, Wait) else "its next turn is later"
    return "waiting", reason, planned.due


def _without_a_turn(state: TargetState) -> tuple[Any, str, None]:
    if state.status == "complete":
        return "complete", state.status_reason or "all features pass", None
    if state.status == "blocked":
        return "blocked", state.status_reason or "a person must look at it", None
    reason = waits_for(state.waits_for) if state.waits_for else "no run or worker has begun on it"
    return "idle", reason, None


def _now() -> datetime:
    return datetime.now(UTC)
