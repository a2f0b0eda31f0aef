"""Changing a target's priority, or whether it is enabled: in its queue file, in the table, and for the turns that wait."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from acd.core.control_rows import TargetChanged
from acd.core.errors import AcdError
from acd.core.models import Target, target_id_of
from acd.core.settings import Settings
from acd.database.connection import Database, Json
from acd.files.locks import wait_for
from acd.queue.at_hand import turns_at_hand
from acd.queue.edit import Name, Value, change_entry
from acd.queue.look import queue_file_here, read_states
from acd.queue.sync import row_of_target
from acd.queue.turn import TargetState


class NoSuchTarget(AcdError):
    """There is no such target."""


class QueueFileElsewhere(AcdError):
    """The queue file that names the target is on another machine; `host` is its name."""

    def __init__(self, host: str) -> None:
        super().__init__(f"The queue file is on the machine {host}: ask the server there.")
        self.host = host


async def change_target(
    db: Database, settings: Settings, repo_id: str, name: Name, value: Value
) -> TargetChanged:
    """Give a target another priority, or enable or disable it, from now on and wherever it is worked.

    The queue file keeps everything else as it is. A running session goes on; a target that is disabled gets no other,
    one that is enabled gets its turn from whoever works its queue file.

    Raises:
        NoSuchTarget: nobody knows it.
        QueueFileElsewhere: the queue file that names it is not of this machine.
        NotInFile: that file names it no more. ConfigError: the file cannot be read or written.
        DatabaseError: the table could not be changed; the file perhaps is, and whoever works it takes that up.
    """
    states = await read_states(db, datetime.now(UTC), [target_id_of(repo_id)])
    if not states:
        raise NoSuchTarget(f"No target has the id {repo_id!r}.")
    path = _queue_file(states[0], settings.host_name)
    if path is None:
        target = msgspec.structs.replace(states[0].target, **{name: value})
    else:
        target = await _change_file(settings, path, repo_id, name, value)
    rows = Json([row_of_target(target)])
    await db.fetch_all("queue.update_targets", targets=rows, queue_file=states[0].queue_file)
    await _change_turns(db, settings, target)
    return TargetChanged(
        success=True,
        repo_id=repo_id,
        new_priority=target.priority,
        enabled=target.enabled,
        in_queue_file=path is not None,
    )


def _queue_file(state: TargetState, host_name: str) -> Path | None:
    """The file that names the target; None where none ever did (another program did)."""
    path = queue_file_here(state, host_name)
    if path is None and state.queue_file is not None:
        raise QueueFileElsewhere(state.queue_file.partition(":")[0] or host_name)
    return path


async def _change_file(
    settings: Settings, path: Path, repo_id: str, name: Name, value: Value
) -> Target:
    lock = f"queue-{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.lock"
    async with wait_for(settings.locks_dir / lock):
        queue = await asyncio.to_thread(change_entry, path, repo_id, name, value)
    return next(target for target in queue.targets if target.repo_id == repo_id)


async def _change_turns(db: Database, settings: Settings, target: Target) -> None:
    """Bring the turns that wait to what the target is now.

    Raises:
        DatabaseError: as `change_target`.
    """
    async with turns_at_hand(db, settings) as turns:
        if target.enabled:
            await turns.reprioritise([target])
        else:
            await turns.withdraw({target.id})
