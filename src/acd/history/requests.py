"""Requests of many sessions at once into the ledger: each belongs to the session with its earliest line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from acd.core.errors import AlreadyThere
from acd.database.connection import Database, Transaction
from acd.history.folding import SessionNews
from acd.ledger.copying import MANY, copy_past_requests
from acd.ledger.owner import MovedOn
from acd.ledger.price import PriceList
from acd.ledger.rows import UsageRow, json_rows
from acd.ledger.snapshots import Snapshots


class Home(NamedTuple):
    """A session by its key."""

    target_id: UUID
    session_id: UUID


class Claim(NamedTuple):
    """One request of a batch: its row, the session of the batch with its earliest line, the others that tell of it.

    `tied`: another one's line is as early, so that nobody can tell which of the two files repeats the other.
    """

    row: UsageRow
    home: Home
    others: frozenset[Home]
    tied: bool = False


_NOBODY: frozenset[Home] = frozenset()


class _Claimant(msgspec.Struct, gc=False):
    request_key: str
    target_id: UUID
    session_id: UUID
    requested_at: datetime


def claims_of(told: Iterable[tuple[Home, SessionNews]], prices: PriceList) -> dict[str, Claim]:
    """The requests of a batch by key, each once, whatever the order of its files."""
    seen: dict[str, _Seen] = {}
    for home, news in told:
        for key, snapshots in news.requests.items():
            known = seen.get(key)
            if known is None:
                seen[key] = _Seen(snapshots, home, news.provider)
            else:
                known.join(snapshots, home)
    return {key: one.claim(prices) for key, one in seen.items()}


class _Seen(msgspec.Struct, gc=False):
    """A request in the files of a batch. `homes`, once a second file tells of it: when each session's first line was."""

    snapshots: Snapshots
    home: Home
    provider: str
    homes: dict[Home, datetime] | None = None

    def join(self, snapshots: Snapshots, home: Home) -> None:
        """Take in what another file tells."""
        if self.homes is None:
            # A batch that has to be begun again begins with what its files told.
            mine = self.snapshots
            self.homes = {self.home: mine.first_at}
            self.snapshots = msgspec.structs.replace(
                mine, ids=list(mine.ids), tools=list(mine.tools)
            )
        self.snapshots.join(snapshots)
        self.homes[home] = min(self.homes.get(home, snapshots.first_at), snapshots.first_at)

    def claim(self, prices: PriceList) -> Claim:
        """What they come to."""
        row = self.snapshots.row(prices, self.provider)
        homes = self.homes
        if homes is None or len(homes) == 1:
            return Claim(row, self.home, _NOBODY)
        first = min(homes, key=lambda home: (homes[home], home.session_id))
        tied = list(homes.values()).count(homes[first]) > 1
        return Claim(row, first, frozenset(home for home in homes if home != first), tied)


async def owners_of(calls: Database | Transaction, keys: Collection[str]) -> dict[str, Home]:
    """Who has these requests so far."""
    if not keys:
        return {}
    rows = await calls.fetch_all("ledger.owners_of", keys=list(keys))
    return {row["request_key"]: Home(row["target_id"], row["session_id"]) for row in rows}


async def put_requests(
    tx: Transaction,
    claims: Mapping[str, Claim],
    known: Mapping[str, Home],
    locked: Collection[UUID],
) -> set[Home]:
    """Claim requests where their lines are the earliest, and put or improve their rows.

    Args:
        tx: holds the locks of the targets `locked`.
        claims: by request key.
        known: whose they were before the transaction began.
        locked: the targets of all of these.

    Returns:
        The sessions whose files only repeat some of them, or may do so.

    Raises:
        MovedOn: another writer claimed one of them since.
        DataRefused: PostgreSQL cannot store one of them.
    """
    fresh = {key: claim for key, claim in claims.items() if key not in known}
    others = {key: claim for key, claim in claims.items() if key in known}
    if len(fresh) < MANY:
        fresh, others = {}, dict(claims)
    copies = {home for claim in claims.values() for home in claim.others}
    copies |= {claim.home for claim in claims.values() if claim.tied}
    if fresh:
        rows = [(*claim.home, claim.row) for claim in fresh.values()]
        try:
            await copy_past_requests(tx, rows)
        except AlreadyThere as error:
            raise MovedOn("another writer claimed a request in the meantime") from error
    if others:
        copies |= await _merge(tx, others, locked)
    return copies


async def _merge(
    tx: Transaction, claims: Mapping[str, Claim], locked: Collection[UUID]
) -> set[Home]:
    claimants = [
        _Claimant(key, *claim.home, claim.row.requested_at) for key, claim in sorted(claims.items())
    ]
    before = await owners_of(tx, claims)
    tied = await tx.fetch_all("history.tied_with", rows=json_rows(claimants))
    taken = await tx.fetch_all("history.claim_requests", rows=json_rows(claimants))
    owners = await owners_of(tx, claims)
    concerned = {home.target_id for home in (*before.values(), *owners.values())}
    if not concerned <= set(locked):
        raise MovedOn("another writer claimed a request in the meantime")
    moved = [row["request_key"] for row in taken if row["request_key"] in before]
    if moved:
        await tx.execute("ledger.move_requests", keys=moved)
    await tx.execute("ledger.put_usage", rows=json_rows([c.row for c in claims.values()]))
    repeating = {
        home
        for key, claim in claims.items()
        for home in (claim.home, *claim.others)
        if home != owners[key]
    }
    for key in {row["request_key"] for row in tied} & set(before):
        repeating |= {before[key], claims[key].home}
    return repeating
