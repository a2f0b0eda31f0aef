"""Working the queue: what `acd run`, `acd worker` and `acd run --dry-run` call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from acd.core.errors import ConfigError, QueueFileError
from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.ending import Ending, ended_by_signals
from acd.queue.file import read_queue_file
from acd.queue.look import Planned, plan_queue
from acd.queue.observer import Observer
from acd.queue.shift import RunOptions, RunResult, TargetEnd, open_shift
from acd.queue.sync import sync_queue_file
from acd.queue.watch import LatestQueue

__all__ = ["RunOptions", "RunResult", "TargetEnd", "plan", "work_queue", "worker"]


async def plan(db: Database, settings: Settings, options: RunOptions) -> list[Planned]:
    """What a run would do now, by priority; writes nothing.

    Raises:
        QueueFileError: the queue file cannot be used. ConfigError: a repo id that is not in it.
        DatabaseError: as `Database.fetch_all`.
    """
    queue = read_queue_file(settings.queue_file)
    _check_ids(options.repo_ids, queue.targets)
    return await plan_queue(db, settings, queue, options.repo_ids, once=options.once)


async def work_queue(
    db: Database,
    settings: Settings,
    options: RunOptions,
    *,
    observer: Observer,
    ending: Ending | None = None,
) -> RunResult:
    """Sync the queue file, then work its targets until nothing is left to do.

    Edits of the queue file are taken up while it runs. Turns that other processes began on this database are worked
    too, where a slot is free, unless `options.repo_ids` chooses some.

    Args:
        db: where everything is recorded.
        settings: see there.
        options: what to work and for how long.
        observer: told what happens.
        ending: lets the caller end the run; then signals are the caller's business. Without it INT, TERM and HUP
            end the run in order, a second one at once.

    Raises:
        QueueFileError: the queue file cannot be used. ConfigError: a repo id that is not in it.
        DatabaseError: it could not be reached at the start, or is not usable.
    """
    latest = LatestQueue(settings.queue_file)
    _check_ids(options.repo_ids, latest.queue.targets)
    with _endable(ending, observer) as known_ending:
        result = await sync_queue_file(db, latest.queue, settings.host_name)
        for warning in result.warnings:
            observer.message(warning)
        async with open_shift(
            db, settings, options, latest=latest, observer=observer, ending=known_ending
        ) as shift:
            return await shift.work(begins=True)


async def worker(
    db: Database,
    settings: Settings,
    options: RunOptions,
    *,
    observer: Observer,
    ending: Ending | None = None,
) -> RunResult:
    """Work turns that others begin, until stopped. Of `options` all but `once` and `until_done` count.

    The queue file of the settings need not be there. `ending` as with `work_queue`.

    Raises:
        DatabaseError: it could not be reached at the start, or is not usable.
    """
    options = msgspec.structs.replace(options, until_done=False)
    latest = _latest_or_none(settings)
    with _endable(ending, observer) as known_ending:
        async with open_shift(
            db, settings, options, latest=latest, observer=observer, ending=known_ending
        ) as shift:
            return await shift.work(begins=False)


@contextmanager
def _endable(ending: Ending | None, observer: Observer) -> Iterator[Ending]:
    if ending is not None:
        yield ending
        return
    ending = Ending()
    with ended_by_signals(ending, observer.message):
        yield ending


def _latest_or_none(settings: Settings) -> LatestQueue | None:
    try:
        return LatestQueue(settings.queue_file)
    except QueueFileError:
        return None


def _check_ids(repo_ids: Sequence[str], targets: Sequence[Target]) -> None:
    unknown = set(repo_ids) - {target.repo_id for target in targets}
    if unknown:
        raise ConfigError(f"not in the queue file: {', '.join(sorted(unknown))}")
