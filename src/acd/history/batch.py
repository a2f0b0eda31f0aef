"""Parts of many files → one transaction: rows, offsets and all sums that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from acd.database.connection import Database
from acd.history.belonging import Belonging, key_of
from acd.history.reading import Part
from acd.history.requests import claims_of, owners_of, put_requests
from acd.history.roll_up import roll_up, rows_of
from acd.history.rows import Rows
from acd.ledger.overrides import refresh
from acd.ledger.owner import MovedOn
from acd.ledger.price import PriceList
from acd.ledger.rows import json_rows

_WRITE_SECONDS = 120.0
_TRIES = 8


class Written(NamedTuple):
    """What a batch came to: sessions that are new, targets that were made, files that are left to the recorder.

    `touched`: all targets that have sessions in it.
    """

    sessions: set[UUID]
    targets: set[UUID]
    left: set[str]
    touched: set[UUID]


@dataclass
class Batches:
    """Writes the batches of one import."""

    database: Database
    host: str
    belonging: Belonging
    prices: PriceList
    billing: str | None = None

    async def write(self, parts: Sequence[Part]) -> Written:
        """Write everything that parts of files amount to, or nothing.

        Raises:
            FilesMovedOn: another import has read on in one of the files.
            MovedOn: others write the same requests all the time.
            DataRefused: PostgreSQL cannot store something in it.
            DatabaseAway: perhaps written, perhaps not; doing it again is safe.
        """
        for _ in range(_TRIES):
            try:
                return await self._write(parts)
            except MovedOn as error:
                last = error
        raise last

    async def _write(self, parts: Sequence[Part]) -> Written:
        sessions, made = await self.belonging.settle(parts)
        left = {p.path for p in parts for news in p.sessions if sessions[key_of(news)].ours}
        batch = Rows(
            self.host, [part for part in parts if part.path not in left], sessions, self.billing
        )
        await refresh(self.prices, self.database)
        claims = claims_of(batch.told())
        owners = await owners_of(self.database, claims)
        homes = batch.homes()
        locked = {home.target_id for home in (*homes, *owners.values())}
        async with self.database.transaction(timeout=_WRITE_SECONDS) as tx:
            if made:
                rows = json_rows([target._asdict() for target in made.values()])
                await tx.execute("history.put_targets", rows=rows)
            await tx.fetch_all("ledger.lock_targets", ids=sorted(locked))
            days = await batch.put(tx)
            copies = await put_requests(tx, claims, owners, locked, self.prices)
            if copies:
                await tx.execute("history.mark_copies", rows=rows_of(copies))
            await batch.put_told(tx)
            touched = homes | copies | set(owners.values())
            if touched:
                await roll_up(tx, touched, days)
                await tx.fetch_all("ledger.tell_readers")
        new = {one.home.session_id for one in sessions.values() if one.origin is None}
        began = new & {home.session_id for home in homes}
        return Written(began, set(made), left, {home.target_id for home in homes})
