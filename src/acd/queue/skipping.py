"""Features that a person leaves out: a row that outlives every look at the list, which itself is not touched."""

from __future__ import annotations

from datetime import UTC, datetime

from acd.core.control_rows import FeatureSkipped
from acd.core.errors import AcdError
from acd.core.models import target_id_of
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.again import known_state
from acd.queue.at_hand import turns_at_hand
from acd.queue.jobs import Turn


class NoSuchFeature(AcdError):
    """The target's list has no feature of this key."""


class PassesAlready(AcdError):
    """The feature passes: there is nothing to leave out."""


async def skip_feature(
    db: Database, settings: Settings, repo_id: str, key: str, *, skip: bool
) -> FeatureSkipped:
    """Leave a feature out from the next session on, or (`skip` false) take it in again, with a turn for its target.

    Raises:
        NoSuchTarget, NoSuchFeature: nobody knows it. PassesAlready: see there.
        DatabaseError: it is not known whether it was done; doing it again is safe.
    """
    target_id = target_id_of(repo_id)
    state = await known_state(db, repo_id)
    ids = {"target_id": target_id, "key": key}
    async with db.transaction() as tx:
        await tx.fetch_all("ledger.lock_targets", ids=[target_id])
        found = await tx.fetch_one("queue.feature", **ids)
        if found is None:
            raise NoSuchFeature(f"{repo_id} has no feature {key!r}: `acd features {repo_id}`.")
        if skip and found["passes"]:
            raise PassesAlready(f"{key} of {repo_id} passes already: there is nothing to skip.")
        await tx.execute("queue.skip_feature" if skip else "queue.take_feature_in", **ids)
        row = await tx.fetch_one("queue.mark_skipped", skipped=skip, **ids)
        seen = await tx.fetch_one("queue.features_at", target_id=target_id)
        if seen and seen["features_at"]:
            # As of the last look: a later one that is not recorded yet must not count as older.
            await tx.execute("ledger.count_features", target_id=target_id, at=seen["features_at"])
    if not skip and state.target.enabled:
        async with turns_at_hand(db, settings) as turns:
            await turns.defer([(Turn(target_id, datetime.now(UTC)), state.target)])
    status = row["status"] if row else found["status"]
    return FeatureSkipped(True, repo_id, key, skip, status)
