"""A look at targets: what the database and their feature lists say, and what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from acd.core.budgets import Budget
from acd.core.errors import FeatureListError, FeatureListMissing
from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.harness.account import account_of_agent
from acd.harness.features import feature_list_path, feature_list_roots, read_feature_list
from acd.harness.routing import ModelChoice, choose_model
from acd.queue.budgets import Spending, budget_of
from acd.queue.depending import dependencies
from acd.queue.file import QueueFile
from acd.queue.limits import HeldLimit
from acd.queue.state import Dependency
from acd.queue.turn import (
    FeatureCount,
    PastSession,
    Step,
    Stop,
    TargetState,
    next_step,
    rules_of,
)

_SAVING_TIME = 1.0
"""A list that cannot be read may just be being saved: it gets so long, in seconds, to become readable."""
_AT_A_TIME = 8


class Planned(msgspec.Struct, frozen=True):
    """What would be done with a target now."""

    target: Target
    step: Step
    model: str
    fallback_model: str | None = None


async def read_states(
    db: Database,
    since: datetime,
    target_ids: Sequence[UUID] | None = None,
    *,
    budget: Budget | None = None,
) -> list[TargetState]:
    """The targets (all of them), by priority, with what happened since a moment.

    What they spent is asked for only where a budget is set: `budget` (that of the settings), or that of a target.

    Raises:
        DatabaseError: as `Database.fetch_all`.
    """
    ids = None if target_ids is None else list(target_ids)
    rows = await db.fetch_all("queue.turn_state", since=since, ids=ids)
    budgets = [budget or Budget(), *(msgspec.convert(row["budget"], Budget) for row in rows)]
    bounded = any(each != Budget() for each in budgets)
    spending = await read_spending(db, ids) if bounded else {}
    return [_state(row, spending) for row in rows]


async def read_spending(
    db: Database, target_ids: Sequence[UUID] | None = None
) -> dict[UUID, Spending]:
    """What counts against the budgets of targets (all of them), by target.

    Raises:
        DatabaseError: as `Database.fetch_all`.
    """
    ids = None if target_ids is None else list(target_ids)
    rows = await db.fetch_all("budgets.spent", ids=ids)
    return {row["target_id"]: msgspec.convert(row, Spending) for row in rows}


def _state(row: dict[str, Any], spending: Mapping[UUID, Spending]) -> TargetState:
    entry = {**row, "budget": msgspec.convert(row["budget"], Budget)}
    target = Target(**{name: entry[name] for name in Target.__struct_fields__})
    return TargetState(
        target,
        row["status"],
        row["status_reason"],
        row["queue_file"],
        sessions_used=row["sessions_used"],
        last_number=row["last_number"],
        sessions_since=row["sessions_since"],
        completed_since=row["completed_since"],
        last_finished_at=row["last_finished_at"],
        recent=msgspec.convert(row["recent"], list[PastSession]),
        rejections=row["rejections"],
        limits=msgspec.convert(row["limits"], list[HeldLimit]),
        waits_for=msgspec.convert(row["waits_for"], list[Dependency]),
        spending=spending.get(target.id, Spending()),
        skipped=row["skipped"],
    )


def queue_file_here(state: TargetState, host_name: str) -> Path | None:
    """The queue file that names the target, where it is one of this machine."""
    host, _, path = (state.queue_file or "").partition(":")
    return Path(path) if path and host == host_name else None


async def count_features(
    target: Target,
    queue_dir: Path | None,
    skipped: Sequence[str] = (),
    given_up: Sequence[str] = (),
) -> FeatureCount | None:
    """The features of a target's list as it stands now; None where there is no list yet.

    `skipped` are the keys of those that a person leaves out, whatever the list says; `given_up` of those that were
    rejected too often.

    Raises:
        FeatureListError: it cannot be read, also after a moment.
    """
    path, roots = feature_list_path(target), feature_list_roots(target, queue_dir)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SAVING_TIME
    while True:
        try:
            features = await asyncio.to_thread(read_feature_list, path, roots)
        except FeatureListMissing:
            return None
        except FeatureListError:
            if loop.time() > deadline:
                raise
            await asyncio.sleep(_SAVING_TIME / 5)
        else:
            wanted = [each for each in features if not each.skipped and each.key not in skipped]
            left = [each for each in wanted if not each.passes]
            hopeless = tuple(each.key for each in left if each.key in given_up)
            return FeatureCount(len(features), len(left) - len(hopeless), hopeless)


async def decide(
    state: TargetState,
    queue_dir: Path | None,
    settings: Settings,
    choice: ModelChoice,
    *,
    once: bool,
    resets_at: datetime | None = None,
) -> Step:
    """The next step of a target that is on this machine; the rest is `next_step`."""
    state = await with_own_limits(state, settings)
    target = state.target
    rules = rules_of(settings, once=once, max_retries=choice.max_retries)
    if target.enabled and not target.clone and not Path(target.path).is_dir():
        return Stop(f"there is no folder {target.path} on this machine")
    try:
        given_up = state.given_up(settings.feature_attempts)
        features = await count_features(target, queue_dir, state.skipped, given_up)
    except FeatureListError as error:
        return Stop(str(error)) if target.enabled else next_step(state, None, rules, _now())
    return next_step(state, features, rules, _now(), resets_at=resets_at, model=choice.model)


async def with_own_limits(state: TargetState, settings: Settings) -> TargetState:
    """The state with only those limits that are of the login with which its agent works on this machine."""
    if not state.limits:
        return state
    account = await asyncio.to_thread(account_of_agent, state.target.agent, settings)
    held = [limit for limit in state.limits if limit.account == account]
    return msgspec.structs.replace(state, limits=held)


async def plan_targets(
    states: Sequence[TargetState], queue: QueueFile, settings: Settings, *, once: bool = False
) -> list[Planned]:
    """What would be done with each target of a queue file, in the order given."""
    slots = asyncio.Semaphore(_AT_A_TIME)

    async def one(state: TargetState) -> Planned:
        choice = choose_model(state.target.complexity, queue.models)
        async with slots:
            step = await decide(state, queue.folder, settings, choice, once=once)
        return Planned(state.target, step, choice.model, choice.fallback)

    return list(await asyncio.gather(*map(one, states)))


async def plan_queue(
    db: Database,
    settings: Settings,
    queue: QueueFile,
    repo_ids: Sequence[str] = (),
    *,
    once: bool = False,
) -> list[Planned]:
    """What a run would do with the targets of a queue file (or some of them) now; writes nothing.

    Raises:
        DatabaseError: as `read_states`.
    """
    targets = [t for t in queue.targets if not repo_ids or t.repo_id in repo_ids]
    ids = [target.id for target in queue.targets]
    stored = await read_states(db, _now(), ids, budget=budget_of(settings))
    known = {state.target.id: state for state in stored}
    states = [
        _as_in_file(known.get(target.id), target, dependencies(target, queue.targets, known))
        for target in sorted(targets, key=lambda target: (target.priority, target.repo_id))
    ]
    return await plan_targets(states, queue, settings, once=once)


def _as_in_file(
    stored: TargetState | None, target: Target, waits_for: list[Dependency]
) -> TargetState:
    """The state after a sync: an entry that was disabled (which had paused it) may be enabled now."""
    if stored is None:
        return TargetState(target, "pending", waits_for=waits_for)
    resumed = stored.status == "paused" and not stored.target.enabled and target.enabled
    status = "pending" if resumed else stored.status
    return msgspec.structs.replace(stored, target=target, status=status, waits_for=waits_for)


def _now() -> datetime:
    return datetime.now(UTC)
