"""The queue file → the table `targets`, and the targets' feature lists → the ledger."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from acd.core.errors import FeatureListError, FeatureListMissing
from acd.core.models import Target
from acd.core.queue_rows import SyncSummary
from acd.core.settings import Settings
from acd.database.connection import Database, Json
from acd.harness.features import feature_list_path, feature_list_roots, read_feature_list
from acd.ledger.features import record_features
from acd.queue.file import QueueFile, read_queue_file

_AT_A_TIME = 4
"""Feature lists read and recorded at a time: enough to keep the database busy, few enough to leave it to others."""


class SyncResult(msgspec.Struct, frozen=True):
    """`warnings` begin with the entries that were skipped and the lists that cannot be read, each named."""

    summary: SyncSummary
    warnings: list[str]


async def sync(db: Database, settings: Settings) -> SyncResult:
    """Read the queue file of the settings and bring the tables to it, features included.

    Targets that are no longer in the file are disabled, never deleted; those of other queue files stay. A target whose feature list cannot be read
    keeps the features that it had.

    Raises:
        QueueFileError: the file cannot be used; the table stays as it is.
        DatabaseError: the database did not take it; the table stays as it is.
    """
    return await sync_queue_file(db, read_queue_file(settings.queue_file), settings.host_name)


async def sync_queue_file(db: Database, queue: QueueFile, host_name: str) -> SyncResult:
    """Like `sync`, for a file that was read already, on the machine `host_name`.

    Raises:
        DatabaseError: as there.
    """
    rows = [row_of_target(target) for target in queue.targets]
    ids = [target.id for target in queue.targets]
    name = f"{host_name}:{queue.path.resolve()}"
    async with db.transaction() as transaction:
        new = await transaction.fetch_all("queue.add_targets", targets=Json(rows))
        written = await transaction.fetch_all(
            "queue.update_targets", targets=Json(rows), queue_file=name
        )
        vanished = await transaction.fetch_all("queue.pause_vanished", ids=ids, queue_file=name)
    found, unreadable = await _record_lists(db, queue, host_name)
    counts = await db.fetch_one("queue.sync_summary")
    added = {row["id"] for row in new}
    summary = SyncSummary(
        **(counts or {}),
        in_file=len(queue.targets),
        added=len(added),
        changed=sum(row["id"] not in added for row in written),
        disabled=len(vanished),
        skipped=len(queue.problems),
        feature_lists=found,
    )
    return SyncResult(summary, [*queue.problems, *unreadable, *queue.warnings])


async def _record_lists(db: Database, queue: QueueFile, host_name: str) -> tuple[int, list[str]]:
    """How many lists were recorded, and a warning for each that is there but cannot be read."""
    slots = asyncio.Semaphore(_AT_A_TIME)

    async def one(target: Target) -> str | None:
        async with slots:
            return await record_list(db, target, queue.folder, host_name)

    outcomes = await asyncio.gather(*map(one, queue.targets))
    return outcomes.count(None), [warning for warning in outcomes if warning]


async def record_list(
    db: Database, target: Target, queue_dir: Path | None, host_name: str
) -> str | None:
    """Record a target's feature list as it stands now on this machine, unless another one works the target.

    Returns:
        None when it was recorded, "" when there is none yet, else why it cannot be read.

    Raises:
        DatabaseError: the database did not take it.
    """
    path, roots = feature_list_path(target), feature_list_roots(target, queue_dir)
    try:
        features = await asyncio.to_thread(read_feature_list, path, roots)
    except FeatureListMissing:
        return ""
    except FeatureListError as error:
        return f"{target.repo_id}: {error}"
    await record_features(db, target.id, features, datetime.now(UTC), host=host_name)
    return None


def row_of_target(target: Target) -> dict[str, Any]:
    """A target as `queue.update_targets` takes it."""
    columns = {"id": str(target.id), **msgspec.structs.asdict(target)}
    return {**columns, "budget": msgspec.to_builtins(target.budget)}
