"""Who goes first after a limit's reset: one session, over all workers and machines of a database."""

from __future__ import annotations

import asyncio
from uuid import UUID

from acd.core.models import Target
from acd.database.connection import Database
from acd.queue.connector import patiently


class Canaries:
    """Claims for the right to go first; a claim of a worker that died ends after `lease_s` seconds."""

    def __init__(self, db: Database, lease_s: float, give_up: asyncio.Event) -> None:
        self._db = db
        self._lease_s = lease_s
        self._give_up = give_up

    async def may_go(self, target: Target, number: int, windows: tuple[str, ...]) -> bool:
        """Whether session `number` of the target may begin: these limits are over by now, or it goes first.

        Raises:
            DatabaseAway: the database is away and nobody waits for it any more.
        """

        async def claim() -> bool:
            async with self._db.transaction() as transaction:
                await transaction.execute("limits.clear", agent=target.agent)
                row = await transaction.fetch_one(
                    "limits.claim",
                    agent=target.agent,
                    windows=list(windows),
                    target_id=target.id,
                    number=number,
                    lease_s=self._lease_s,
                )
            return row is not None and row["held"] == row["taken"]

        return await patiently(claim, self._give_up)

    async def over(self, agent: str, target_id: UUID) -> None:
        """The session that went first is over: with an answer the limit is, else the next one may try.

        Raises:
            DatabaseAway: as `may_go`.
        """

        async def release() -> None:
            async with self._db.transaction() as transaction:
                await transaction.execute("limits.clear", agent=agent)
                await transaction.execute("limits.release", agent=agent, target_id=target_id)

        await patiently(release, self._give_up)
