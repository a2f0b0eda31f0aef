"""Feature lists that were looked at outside a session (a sync of the queue, a sync by hand)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from acd.core.models import Feature
from acd.database.connection import Database
from acd.ledger.write import put_feature_list


async def record_features(
    database: Database, target_id: UUID, features: Sequence[Feature], at: datetime
) -> None:
    """Record a target's whole feature list as it stood at a time, with the target's totals and the day's snapshot.

    Raises:
        DatabaseAway: nothing is known to be recorded; doing it again is safe.
    """
    async with database.transaction() as tx:
        await tx.fetch_all("ledger.lock_targets", ids=[target_id])
        await put_feature_list(tx, target_id, None, features, at)
