"""Feature lists as they stood at a time: seen in a session, told by another program, or looked at by a sync."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from acd.core.facts import DailyStats, FeaturesSeen
from acd.core.models import Feature
from acd.database.connection import Database, Transaction
from acd.ledger.rows import Batch, json_rows


async def record_features(
    database: Database, target_id: UUID, features: Sequence[Feature], at: datetime, *, host: str
) -> None:
    """Record a target's whole feature list as it stood at a time, with the target's totals and the day's snapshot.

    Where another machine than `host` works the target, the list that counts is the one there: nothing is recorded.

    Raises:
        DatabaseAway: nothing is known to be recorded; doing it again is safe.
    """
    async with database.transaction() as tx:
        await tx.fetch_all("ledger.lock_targets", ids=[target_id])
        if not await _counts_elsewhere(tx, target_id, host):
            await _put_feature_list(tx, target_id, None, features, at)


async def put_looks(
    tx: Transaction, target_id: UUID, session_id: UUID | None, batch: Batch, *, host: str
) -> None:
    """What a batch saw of the feature list, look by look, each with its day's snapshot.

    A machine that was silent for so long that another one took the target over tells late how the list stands there.
    """
    looks: list[FeaturesSeen | DailyStats] = [*batch.daily]
    if batch.features and not await _counts_elsewhere(tx, target_id, host):
        looks += batch.features
    for look in sorted(looks, key=lambda look: look.at):
        if isinstance(look, FeaturesSeen):
            await _put_feature_list(tx, target_id, session_id, look.features, look.at)
        else:
            await _put_daily_stats(tx, target_id, look)


async def _counts_elsewhere(tx: Transaction, target_id: UUID, host: str) -> bool:
    return bool(await tx.fetch_all("fleet.elsewhere", target_ids=[target_id], host=host))


async def put_judgements(tx: Transaction, target_id: UUID, session_id: UUID, batch: Batch) -> None:
    """What the harness found out about features itself, after the lists that say which of them there are."""
    if batch.features or any(change.evidence is not None for change in batch.feature_changes):
        judged = await tx.execute(
            "ledger.judge_features", target_id=target_id, session_id=session_id
        )
        if judged:
            await tx.execute("rollups.snapshot_verified", target_id=target_id)


async def _put_daily_stats(tx: Transaction, target_id: UUID, look: DailyStats) -> None:
    ids = {"target_id": target_id, "at": look.at}
    await tx.execute(
        "ledger.put_daily_stats",
        total=look.total_features,
        passing=look.passing_features,
        **ids,
    )
    await tx.execute("rollups.snapshot_features", **ids)


async def _put_feature_list(
    tx: Transaction,
    target_id: UUID,
    session_id: UUID | None,
    features: Sequence[Feature],
    at: datetime,
) -> None:
    """The features of a target as they stood at a time, and the day's snapshot; an older look than the newest is nothing new."""
    await tx.execute(
        "ledger.put_features",
        target_id=target_id,
        session_id=session_id,
        at=at,
        rows=json_rows([msgspec.structs.asdict(feature) for feature in features]),
    )
    await tx.execute("ledger.count_features", target_id=target_id, at=at)
    await tx.execute("rollups.snapshot_features", target_id=target_id, at=at)
