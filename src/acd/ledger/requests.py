"""Requests into the ledger: each belongs to one session, across targets, whatever the order of reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from acd.core.errors import AlreadyThere
from acd.database.connection import Database, Transaction
from acd.ledger.copying import MANY, copy_requests
from acd.ledger.owner import MovedOn, Owner
from acd.ledger.rows import UsageRow, json_rows


class Claims(NamedTuple):
    """What is known of a batch's requests before its transaction begins.

    `known`: keys that have an owner. `touched`: target and id of the sessions whose sums the batch may change.
    """

    known: frozenset[str]
    touched: frozenset[tuple[UUID, UUID]]


async def look_up(database: Database, owner: Owner, keys: Sequence[str]) -> Claims:
    """Who has a batch's requests so far.

    Raises:
        DatabaseAway: nobody can say.
    """
    rows = await database.fetch_all("ledger.owners_of", keys=list(keys)) if keys else []
    touched = {(row["target_id"], row["session_id"]) for row in rows}
    if owner.session is not None:
        touched.add((owner.target_id, owner.session_id))
    return Claims(frozenset(row["request_key"] for row in rows), frozenset(touched))


async def put_usage(
    tx: Transaction, owner: Owner, claims: Claims, usage: Mapping[str, UsageRow]
) -> None:
    """Claim requests for the owner where its lines are the earliest, and put or improve their rows.

    Args:
        tx: holds the locks of the targets of `claims.touched`.
        owner: whose lines tell of them.
        claims: what was known of them.
        usage: rows by request key.

    Raises:
        MovedOn: another writer claimed one of them since.
        DataRefused: PostgreSQL cannot store one of them.
    """
    fresh = [row for key, row in usage.items() if key not in claims.known]
    if len(fresh) < MANY:
        await _merge(tx, owner, claims, usage)
        return
    try:
        await copy_requests(tx, owner, fresh)
    except AlreadyThere as error:
        raise MovedOn("another writer claimed a request of these lines in the meantime") from error
    others = {key: row for key, row in usage.items() if key in claims.known}
    await _merge(tx, owner, claims, others)


async def _merge(
    tx: Transaction, owner: Owner, claims: Claims, usage: Mapping[str, UsageRow]
) -> None:
    if not usage:
        return
    rows = json_rows(list(usage.values()))
    taken = await tx.fetch_all(
        "ledger.claim_requests",
        target_id=owner.target_id,
        session_id=owner.session_id,
        rows=rows,
    )
    await _check_locked(tx, owner, claims, taken, list(usage))
    if taken:
        keys = [row["request_key"] for row in taken]
        await tx.execute("ledger.move_requests", keys=keys)
    await tx.execute("ledger.put_usage", rows=rows)


async def _check_locked(
    tx: Transaction, owner: Owner, claims: Claims, taken: Sequence[dict[str, Any]], keys: list[str]
) -> None:
    """Whoever had or has one of the requests must be among those whose targets we locked before we claimed them."""
    elsewhere = await tx.fetch_all(
        "ledger.owners_elsewhere", keys=keys, session_id=owner.session_id
    )
    concerned = {(row["target_id"], row["session_id"]) for row in [*taken, *elsewhere]}
    if not concerned <= claims.touched:
        raise MovedOn("another writer claimed a request of these lines in the meantime")
