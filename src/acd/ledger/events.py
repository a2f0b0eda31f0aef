"""Rows into a session's timeline."""

from __future__ import annotations

from collections.abc import Sequence

from acd.database.connection import Transaction
from acd.ledger.copying import MANY, copy_events
from acd.ledger.owner import Owner
from acd.ledger.rows import EventRow, json_rows


async def put_events(tx: Transaction, owner: Owner, rows: Sequence[EventRow]) -> None:
    """Put rows where there are none yet, and complete results of tools whose call was read in an earlier batch.

    Args:
        tx: holds the lock of the owner's target, so that nobody else writes this timeline.
        owner: a session.
        rows: in any order.

    Raises:
        DataRefused: PostgreSQL cannot store one of them.
    """
    ids = {"target_id": owner.target_id, "session_id": owner.session_id}
    fresh = await _fresh(tx, owner, rows) if len(rows) >= MANY else None
    if fresh is None:
        await tx.execute("ledger.put_events", rows=json_rows(rows), **ids)
    elif fresh:
        await copy_events(tx, owner, fresh)
    waiting = [row.seq for row in rows if row.kind == "tool_ended" and row.tool_name is None]
    if waiting:
        await tx.execute("ledger.finish_tools", seqs=waiting, **ids)


async def _fresh(
    tx: Transaction, owner: Owner, rows: Sequence[EventRow]
) -> Sequence[EventRow] | None:
    """Those whose places are free; None where two have the same place, so that PostgreSQL has to settle it."""
    seqs = {row.seq for row in rows}
    if len(seqs) < len(rows):
        return None
    taken = await tx.fetch_all(
        "ledger.places_taken",
        target_id=owner.target_id,
        session_id=owner.session_id,
        first=min(seqs),
        last=max(seqs),
    )
    if not taken:
        return rows
    places = {row["seq"] for row in taken}
    return [row for row in rows if row.seq not in places]
