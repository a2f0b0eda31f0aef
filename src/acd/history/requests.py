"""Requests of many sessions at once into the ledger: each belongs to the session with its earliest line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from acd.core.errors import AlreadyThere
from acd.database.connection import Database, Transaction
from acd.database.wire import text_array
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


class _Claimant(msgspec.Struct, gc=False):
    request_key: str
    target_id: UUID
    session_id: UUID
    requested_at: datetime


class Claim(msgspec.Struct):
    """One request of a batch: what is known of it, and the session of the batch with its earliest line.

    `homes`, once a second file tells of it: when each session's first line was. `others` are the sessions that tell of it beside
    `home`; `tied`: another one's line is as early, so that nobody can tell which of the two files repeats the other.
    """

    request: Snapshots
    home: Home
    provider: str
    homes: dict[Home, datetime] | None = None
    others: frozenset[Home] = frozenset()
    tied: bool = False

    def join(self, request: Snapshots, home: Home) -> None:
        """Take in what another file tells."""
        if self.homes is None:
            # A batch that has to be begun again begins with what its files told.
            mine = self.request
            self.homes = {self.home: mine.first_at}
            self.request = msgspec.structs.replace(mine, ids=list(mine.ids), tools=list(mine.tools))
        self.request.join(request)
        self.homes[home] = min(self.homes.get(home, request.first_at), request.first_at)

    def settle(self) -> None:
        """Say whose it is, now that all files of the batch have told."""
        homes = self.homes or {}
        if len(homes) > 1:
            first = min(homes, key=lambda home: (homes[home], home.session_id))
            self.home = first
            self.tied = list(homes.values()).count(homes[first]) > 1
            self.others = frozenset(home for home in homes if home != first)

    def row(self, prices: PriceList) -> UsageRow:
        """Its ledger row."""
        return self.request.row(prices, self.provider)


def claims_of(told: Iterable[tuple[Home, SessionNews]]) -> dict[str, Claim]:
    """The requests of a batch by key, each once, whatever the order of its files."""
    claims: dict[str, Claim] = {}
    joined: dict[str, Claim] = {}
    for home, news in told:
        provider = news.provider
        for key, request in news.requests.items():
            known = claims.get(key)
            if known is None:
                claims[key] = Claim(request, home, provider)
            else:
                known.join(request, home)
                joined[key] = known
    for claim in joined.values():
        claim.settle()
    return claims


async def owners_of(calls: Database | Transaction, keys: Collection[str]) -> dict[str, Home]:
    """Who has these requests so far."""
    if not keys:
        return {}
    rows = await calls.fetch_all("ledger.owners_of", keys=text_array(keys))
    return {row["request_key"]: Home(row["target_id"], row["session_id"]) for row in rows}


async def put_requests(
    tx: Transaction,
    claims: Mapping[str, Claim],
    known: Mapping[str, Home],
    locked: Collection[UUID],
    prices: PriceList,
) -> set[Home]:
    """Claim requests where their lines are the earliest, and put or improve their rows.

    Args:
        tx: holds the locks of the targets `locked`.
        claims: by request key.
        known: whose they were before the transaction began.
        locked: the targets of all of these.
        prices: what they are priced by.

    Returns:
        The sessions whose files only repeat some of them, or may do so.

    Raises:
        MovedOn: another writer claimed one of them since.
        DataRefused: PostgreSQL cannot store one of them.
    """
    fresh = [claim for key, claim in claims.items() if key not in known]
    if len(fresh) < MANY:
        fresh = []
    others = dict(claims) if not fresh else {key: claims[key] for key in known}
    copies = {home for claim in claims.values() for home in claim.others}
    copies |= {claim.home for claim in claims.values() if claim.tied}
    if fresh:
        rows = [(claim.home, claim.request, claim.provider) for claim in fresh]
        try:
            await copy_past_requests(tx, rows, prices)
        except AlreadyThere as error:
            raise MovedOn("another writer claimed a request in the meantime") from error
    if others:
        copies |= await _merge(tx, others, locked, prices)
    return copies


async def _merge(
    tx: Transaction, claims: Mapping[str, Claim], locked: Collection[UUID], prices: PriceList
) -> set[Home]:
    claimants = [
        _Claimant(key, *claims[key].home, claims[key].request.first_at) for key in sorted(claims)
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
    rows = [claim.row(prices) for claim in claims.values()]
    await tx.execute("ledger.put_usage", rows=json_rows(rows))
    repeating = {
        home
        for key, claim in claims.items()
        for home in (claim.home, *claim.others)
        if home != owners[key]
    }
    for key in {row["request_key"] for row in tied} & set(before):
        repeating |= {before[key], claims[key].home}
    return repeating
