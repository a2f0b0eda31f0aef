"""Many rows that are new for certain, by binary COPY: about half of what unfolding them from JSON costs.

COPY knows no ON CONFLICT, so whoever calls has to know that no row is there yet. For few rows it does not pay.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from msgspec.structs import astuple

from acd.database.connection import Transaction
from acd.ledger.owner import Owner
from acd.ledger.rows import EventRow, UsageRow

MANY = 100
"""From so many rows on COPY is the faster way."""

_EVENT_COLUMNS = ("target_id", "session_id", *EventRow.__struct_fields__)
_EVENT_TYPES = (
    *("uuid", "uuid", "int8", "text", "timestamptz", "text"),
    *("text", "text", "text", "int8", "text"),
)
# The place in lists is the first time; given here, the table's trigger need not set it row by row.
_USAGE_COLUMNS = ("target_id", "session_id", "listed_at", *UsageRow.__struct_fields__)
_USAGE_TYPES = (
    *("uuid", "uuid", "timestamptz", "text", "text", "text[]"),
    *("int8",) * 8,
    *("numeric", "text", "date", "text[]", "text", "timestamptz", "bool", "text"),
)
_OWNER_COLUMNS = ("request_key", "target_id", "session_id", "first_seen_at")
_OWNER_TYPES = ("text", "uuid", "uuid", "timestamptz")


async def copy_requests(tx: Transaction, owner: Owner, rows: Collection[UsageRow]) -> None:
    """Requests that nobody has claimed, with their owner.

    Raises:
        AlreadyThere: another writer has claimed one of them in the meantime.
        DataRefused: PostgreSQL cannot store one of them.
    """
    target, session = owner.target_id, owner.session_id
    # Writers of different targets may meet in this table: in the same order none waits for one who waits for it.
    owners = sorted((row.request_key, target, session, row.requested_at) for row in rows)
    await tx.copy("request_owners", _OWNER_COLUMNS, owners, types=_OWNER_TYPES)
    usage = ((target, session, row.requested_at, *astuple(row)) for row in rows)
    await tx.copy("token_usage_details", _USAGE_COLUMNS, usage, types=_USAGE_TYPES)


async def copy_past_requests(
    tx: Transaction, rows: Collection[tuple[UUID, UUID, UsageRow]]
) -> None:
    """The same of many sessions (target, session, row), long after they were made: who follows the live stream is not told.

    Raises:
        AlreadyThere, DataRefused: as `copy_requests`.
    """
    # Without a transaction id a row is no news (0002_live_and_control.sql); of a null the type does not matter.
    owners = sorted((r.request_key, target, session, r.requested_at) for target, session, r in rows)
    untold = ((*owner, None) for owner in owners)
    columns, types = (*_OWNER_COLUMNS, "txid"), (*_OWNER_TYPES, "int8")
    await tx.copy("request_owners", columns, untold, types=types)
    usage = ((target, session, r.requested_at, *astuple(r)) for target, session, r in rows)
    await tx.copy("token_usage_details", _USAGE_COLUMNS, usage, types=_USAGE_TYPES)


async def copy_events(tx: Transaction, owner: Owner, rows: Collection[EventRow]) -> None:
    """Rows of a session's timeline whose places are free.

    Raises:
        DataRefused: PostgreSQL cannot store one of them.
    """
    target, session = owner.target_id, owner.session_id
    events = ((target, session, *astuple(row)) for row in rows)
    await tx.copy("session_events", _EVENT_COLUMNS, events, types=_EVENT_TYPES)
