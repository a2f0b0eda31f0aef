"""Many rows that are new for certain, by binary COPY: about half of what unfolding them from JSON costs.

COPY knows no ON CONFLICT, so whoever calls has to know that no row is there yet. For few rows it does not pay.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from msgspec.structs import astuple

from acd.database.connection import Transaction
from acd.ledger.owner import Owner
from acd.ledger.past_rows import OWNER_COLUMNS, USAGE_COLUMNS, PastRows
from acd.ledger.price import PriceList
from acd.ledger.rows import EventRow, UsageRow, json_rows
from acd.ledger.snapshots import Snapshots

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
    tx: Transaction,
    rows: Sequence[tuple[tuple[UUID, UUID], Snapshots, str]],
    prices: PriceList,
) -> None:
    """The same of many sessions, long after they were made: who follows the live stream is not told.

    Args:
        tx: holds the locks of the sessions' targets.
        rows: of each request the session that it belongs to (target, session), what is known of it, and the provider by
            whose list it is priced where its model does not tell.
        prices: what they are priced by.

    Raises:
        AlreadyThere, DataRefused: as `copy_requests`.
    """
    packed = PastRows(prices)
    by_key = sorted(rows, key=lambda row: row[1].greatest.request_key)
    owners = (packed.owner(home, request) for home, request, _ in by_key)
    await tx.copy_packed("request_owners", OWNER_COLUMNS, owners)
    usage = (packed.usage(*row) for row in rows)
    homes = {id(home): home for home, _, _ in rows}  # to hash a UUID takes long
    async with checked_at_once(tx, set(homes.values())):
        await tx.copy_packed("token_usage_details", USAGE_COLUMNS, usage)


@asynccontextmanager
async def checked_at_once(
    tx: Transaction, homes: Collection[tuple[UUID, UUID]]
) -> AsyncIterator[None]:
    """Have PostgreSQL not look up each row's session: half of what a COPY of the ledger costs.

    What it would find out row by row is asked at once and held until the transaction ends, so the result is the same: all
    sessions are there, and their targets with them. Where one is missing, or we may not, everything is as ever. All other
    constraints hold as ever, and the table has no other trigger that would act (0003_lists.sql: on null only).
    """
    wanted = [{"target_id": target, "session_id": session} for target, session in homes]
    held = await tx.fetch_one("ledger.hold_sessions", rows=json_rows(wanted), expected=len(wanted))
    trusted = None
    if held and held["all_there"]:
        trusted = await tx.fetch_one("ledger.check_keys_no_more")
    yield
    if trusted:
        await tx.fetch_one("ledger.check_keys_again")


async def copy_events(tx: Transaction, owner: Owner, rows: Collection[EventRow]) -> None:
    """Rows of a session's timeline whose places are free.

    Raises:
        DataRefused: PostgreSQL cannot store one of them.
    """
    target, session = owner.target_id, owner.session_id
    events = ((target, session, *astuple(row)) for row in rows)
    await tx.copy("session_events", _EVENT_COLUMNS, events, types=_EVENT_TYPES)
