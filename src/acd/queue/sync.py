"""The queue file → the table `targets`."""

from __future__ import annotations

from typing import Any

import msgspec

from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database, Json
from acd.queue.file import QueueFile, read_queue_file


class SyncSummary(msgspec.Struct, frozen=True, rename="camel"):
    """What a sync found and did. `total`, `enabled` and `complete` count the whole table afterwards."""

    total: int
    enabled: int
    complete: int
    in_file: int
    added: int
    changed: int
    disabled: int
    skipped: int


class SyncResult(msgspec.Struct, frozen=True):
    """`warnings` begin with the entries that were skipped, each named."""

    summary: SyncSummary
    warnings: list[str]


async def sync(db: Database, settings: Settings) -> SyncResult:
    """Read the queue file of the settings and bring the table to it.

    Targets that are no longer in the file are disabled, never deleted.

    Raises:
        QueueFileError: the file cannot be used; the table stays as it is.
        DatabaseError: the database did not take it; the table stays as it is.
    """
    return await sync_queue_file(db, read_queue_file(settings.queue_file))


async def sync_queue_file(db: Database, queue: QueueFile) -> SyncResult:
    """Like `sync`, for a file that was read already.

    Raises:
        DatabaseError: as there.
    """
    rows = [_row(target) for target in queue.targets]
    async with db.transaction() as transaction:
        written = await transaction.fetch_all("queue.upsert_targets", targets=Json(rows))
        vanished = await transaction.fetch_all(
            "queue.pause_vanished", ids=[target.id for target in queue.targets]
        )
        counts = await transaction.fetch_one("queue.sync_summary")
    added = sum(row["added"] for row in written)
    summary = SyncSummary(
        **(counts or {}),
        in_file=len(queue.targets),
        added=added,
        changed=len(written) - added,
        disabled=len(vanished),
        skipped=len(queue.problems),
    )
    return SyncResult(summary, [*queue.problems, *queue.warnings])


def _row(target: Target) -> dict[str, Any]:
    return {"id": str(target.id), **msgspec.structs.asdict(target)}
