"""Another try for a target, because a person says so: what failed so far no longer counts, and its turn is due at once.

A turn carries the moment from which failures count (`Turn.since`). So another try is a new turn from now on in place of
the one that waits. One that is being worked goes on: the new turn comes after it, whatever it ends with.
"""

from __future__ import annotations

from datetime import UTC, datetime

from acd.core.control_rows import TargetTried
from acd.core.errors import AcdError
from acd.core.models import Target, target_id_of
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.at_hand import turns_at_hand
from acd.queue.changes import NoSuchTarget
from acd.queue.jobs import Turn, Turns
from acd.queue.look import read_states
from acd.queue.turn import TargetState

_ATTEMPTS = 5
"""A turn that ends at this very moment lets its successor come before ours; then that one is replaced in turn."""


class NotBlocked(AcdError):
    """The target is not blocked."""


class NothingToTry(AcdError):
    """The target is complete, disabled or has had all its sessions: another try would change nothing."""


async def retry_target(db: Database, settings: Settings, repo_id: str) -> TargetTried:
    """Let a target's failures so far count no longer, and its next session be due at once.

    Limits of the agent's account, the pause of the queue and budgets hold as before.

    Raises:
        NoSuchTarget: nobody knows it.
        NothingToTry: it can have no session now; says why.
        DatabaseError: it is not known whether it was done; a further retry does no harm.
    """
    return await _try_again(db, settings, await known_state(db, repo_id))


async def unblock_target(db: Database, settings: Settings, repo_id: str) -> TargetTried:
    """Let a blocked target be active again, with another try.

    Raises:
        NotBlocked: it is not. Else as `retry_target`.
    """
    state = await known_state(db, repo_id)
    if state.status != "blocked":
        raise NotBlocked(f"{repo_id} is not blocked ({state.status}){_instead(state)}.")
    return await _try_again(db, settings, state)


def _instead(state: TargetState) -> str:
    """What a person may have meant; nothing where a retry would be refused, too."""
    if state.status == "complete":
        return ": there is nothing left to do"
    return f": `acd retry {state.target.repo_id}` lets its failures be forgotten"


async def known_state(db: Database, repo_id: str) -> TargetState:
    """What the database knows of a target.

    Raises:
        NoSuchTarget: nothing.
    """
    states = await read_states(db, datetime.now(UTC), [target_id_of(repo_id)])
    if not states:
        raise NoSuchTarget(f"No target has the id {repo_id!r}.")
    return states[0]


async def _try_again(db: Database, settings: Settings, state: TargetState) -> TargetTried:
    _check(state)
    target = state.target
    # The status first: a worker that takes the turn at once may have blocked the target again before we looked.
    row = await db.fetch_one("queue.try_target_again", target_id=target.id)
    async with turns_at_hand(db, settings) as turns:
        await begin_anew(turns, target)
        workers = await turns.workers_alive()
    return TargetTried(
        success=True,
        repo_id=target.repo_id,
        status=row["status"] if row else state.status,
        workers=workers,
    )


def _check(state: TargetState) -> None:
    target, repo_id = state.target, state.target.repo_id
    if not target.enabled or state.status == "paused":
        raise NothingToTry(f"{repo_id} is disabled: enable it in its queue file first.")
    if state.status == "complete":
        raise NothingToTry(f"{repo_id} is complete: there is nothing left to do.")
    if state.sessions_used >= target.max_sessions:
        raise NothingToTry(
            f"{repo_id} has had its {target.max_sessions} sessions: raise maxSessionsPerRepo in its queue file first."
        )


async def begin_anew(turns: Turns, target: Target) -> None:
    """Let a turn come now from which on failures count, in place of the one that waits.

    Raises:
        ConnectorException: as all calls on turns.
    """
    there = [each.turn for each in await turns.waiting() if each.turn.target_id == target.id]
    turn = Turn(target.id, datetime.now(UTC), any(each.once for each in there))
    for _ in range(_ATTEMPTS):
        await turns.withdraw({target.id})
        if await turns.defer([(turn, target)]):
            return
