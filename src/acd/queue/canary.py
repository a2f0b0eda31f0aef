"""Who goes first after a limit's reset: one session, over all workers and machines of a database.

And what becomes of refusals that name no window: from the so-manieth on they are a limit, too.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.connector import patiently


class Canaries:
    """Claims for the right to go first; a claim of a worker that died ends after `limit_canary_lease` seconds."""

    def __init__(self, db: Database, settings: Settings, give_up: asyncio.Event) -> None:
        self._db = db
        self._settings = settings
        self._give_up = give_up

    async def may_go(
        self, target: Target, number: int, windows: tuple[str, ...], account: str = ""
    ) -> bool:
        """Whether session `number` of the target may begin: these limits of the account are over by now, or it goes first.

        Raises:
            DatabaseAway: the database is away and nobody waits for it any more.
        """

        async def claim() -> bool:
            async with self._db.transaction() as transaction:
                await transaction.execute("limits.clear", agent=target.agent, account=account)
                row = await transaction.fetch_one(
                    "limits.claim",
                    agent=target.agent,
                    account=account,
                    windows=list(windows),
                    target_id=target.id,
                    number=number,
                    lease_s=self._settings.limit_canary_lease,
                )
            return row is not None and row["held"] == row["taken"]

        return await patiently(claim, self._give_up)

    async def over(self, agent: str, target_id: UUID, account: str = "") -> None:
        """The session that went first is over: with an answer the limit is, else the next one may try.

        Raises:
            DatabaseAway: as `may_go`.
        """

        async def release() -> None:
            async with self._db.transaction() as transaction:
                await transaction.execute("limits.clear", agent=agent, account=account)
                await transaction.execute(
                    "limits.release", agent=agent, account=account, target_id=target_id
                )

        await patiently(release, self._give_up)

    async def refused(self, agent: str, account: str) -> None:
        """A session was refused (429), and neither window nor reset was told; it is recorded by now.

        Raises:
            DatabaseAway: as `may_go`.
        """
        settings = self._settings
        await patiently(
            lambda: self._db.execute(
                "limits.refused",
                agent=agent,
                account=account,
                enough=settings.limit_refusals,
                first_s=settings.limit_backoff,
                longest_s=settings.limit_backoff_max,
            ),
            self._give_up,
        )
