"""Targets that depend on others (`dependsOn`): they start when those are complete. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from acd.core.models import Target
from acd.queue.state import Dependency, TargetState
from acd.queue.steps import Done, Step, Wait

WAITS = "waits for "
"""How the reason of a target begins that waits for others."""
_LOOK_AGAIN = timedelta(seconds=30)
"""Who completes a target wakes those that depend on it; this is for what was completed in another way."""


def after_dependencies(state: TargetState, now: datetime) -> Step | None:
    """What the targets that are not complete yet ask for; None: there are none."""
    if not state.waits_for:
        return None
    reason = waits_for(state.waits_for)
    if any(_is_stuck(one) for one in state.waits_for):
        return Done(reason, waiting=True)
    return Wait(now + _LOOK_AGAIN, reason, tuple(one.id for one in state.waits_for))


def waits_for(dependencies: Iterable[Dependency]) -> str:
    """In words."""
    return WAITS + ", ".join(map(_told, dependencies))


def _told(one: Dependency) -> str:
    if not one.enabled or one.status == "paused":
        return f"{one.repo_id} (which is disabled)"
    return f"{one.repo_id} (which is blocked)" if one.status == "blocked" else one.repo_id


def _is_stuck(one: Dependency) -> bool:
    return not one.enabled or one.status in ("paused", "blocked")


def dependencies(
    target: Target, targets: Iterable[Target], known: Mapping[UUID, TargetState]
) -> list[Dependency]:
    """What a target of a queue file depends on and is not complete, as far as the database knows it."""
    by_id = {one.repo_id: one for one in targets}
    found = []
    for repo_id in target.depends_on:
        needed = by_id[repo_id]
        state = known.get(needed.id)
        status = state.status if state else "pending"
        if status != "complete":
            found.append(Dependency(needed.id, repo_id, status, needed.enabled))
    return found


def depth(target: Target, targets: Mapping[str, Target]) -> int:
    """0 for a target that depends on none, else one more than the deepest of those; there must be no cycle."""
    needed = [targets[repo_id] for repo_id in target.depends_on if repo_id in targets]
    return 1 + max(depth(one, targets) for one in needed) if needed else 0


def bad_dependencies(targets: Sequence[Target], named: set[str]) -> dict[str, str]:
    """The targets whose `dependsOn` cannot be, each with the reason.

    Args:
        targets: those of a queue file that can be used so far.
        named: ids of all its entries, also of those that cannot be used.
    """
    needs = {target.repo_id: target.depends_on for target in targets}
    bad = {}
    for repo_id, needed in needs.items():
        for other in needed:
            if other not in needs:
                skipped = "its entry was skipped" if other in named else "there is no such target"
                bad[repo_id] = f"{other!r}: {skipped}"
        circle = _circle(repo_id, needs)
        if circle:
            bad[repo_id] = f"{' → '.join(circle)} goes round in a circle"
    return bad


def _circle(start: str, needs: Mapping[str, list[str]]) -> list[str] | None:
    """A way from a target back to itself, by what each depends on."""
    came_from = {start: start}
    todo = [start]
    while todo:
        here = todo.pop()
        for other in needs.get(here, ()):
            if other == start:
                return _way(start, here, came_from)
            if other not in came_from:
                came_from[other] = here
                todo.append(other)
    return None


def _way(start: str, end: str, came_from: Mapping[str, str]) -> list[str]:
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return [*reversed(way), start]
