"""Requests into the ledger: each belongs to one session, across targets, whatever the order of reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from acd.database.connection import Database, Transaction
from acd.ledger.owner import MovedOn, Owner
from acd.ledger.rows import UsageRow, json_rows


async def sessions_elsewhere(
    database: Database, owner: Owner, keys: Sequence[str]
) -> set[tuple[UUID, UUID]]:
    """Target and id of the sessions, other than the owner's, to which requests belong so far.

    Raises:
        DatabaseAway: nobody can say.
    """
    rows = await database.fetch_all(
        "ledger.owners_elsewhere", keys=list(keys), session_id=owner.session_id
    )
    return {(row["target_id"], row["session_id"]) for row in rows}


async def put_usage(
    tx: Transaction, owner: Owner, touched: set[tuple[UUID, UUID]], usage: Mapping[str, UsageRow]
) -> None:
    """Claim requests for the owner where its lines are the earliest, and put or improve their rows.

    Args:
        tx: holds the locks of the targets of `touched`.
        owner: whose lines tell of them.
        touched: the sessions whose sums may change.
        usage: rows by request key.

    Raises:
        MovedOn: a request belongs or belonged to a session that is not among `touched`.
    """
    if not usage:
        return
    rows = json_rows(list(usage.values()))
    taken = await tx.fetch_all(
        "ledger.claim_requests",
        target_id=owner.target_id,
        session_id=owner.session_id,
        rows=rows,
    )
    await _check_locked(tx, owner, touched, taken, list(usage))
    if taken:
        keys = [row["request_key"] for row in taken]
        await tx.execute("ledger.move_requests", keys=keys)
    await tx.execute("ledger.put_usage", rows=rows)


async def _check_locked(
    tx: Transaction,
    owner: Owner,
    touched: set[tuple[UUID, UUID]],
    taken: Sequence[dict[str, Any]],
    keys: list[str],
) -> None:
    """Whoever had or has one of the requests must be among those whose targets we locked before we claimed them."""
    elsewhere = await tx.fetch_all(
        "ledger.owners_elsewhere", keys=keys, session_id=owner.session_id
    )
    concerned = {(row["target_id"], row["session_id"]) for row in [*taken, *elsewhere]}
    if not concerned <= touched:
        raise MovedOn("another writer claimed a request of these lines in the meantime")
