"""Recorded requests priced anew, each session under its target's lock; what they cost before is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from acd.agents.histories import provider_by_agent
from acd.core.models import Usage
from acd.core.price_rows import Repriced
from acd.database.connection import Database, Transaction
from acd.ledger.overrides import refresh
from acd.ledger.price import PriceList
from acd.ledger.roll_up import roll_up_days, sum_up_session
from acd.ledger.rows import json_rows

_WRITE_SECONDS = 60.0


class Chosen(NamedTuple):
    """Which requests: since a time, of a model by the name that the agent gave; None for any."""

    since: datetime | None = None
    model: str | None = None


class _NewPrice(msgspec.Struct):
    request_key: str
    cost_usd: Decimal | None
    price_source: str | None
    price_date: date | None


async def reprice(
    database: Database,
    prices: PriceList,
    chosen: Chosen,
    *,
    dry_run: bool = False,
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Repriced:
    """Price requests by what is known now; those whose cost stays keep their price as it was recorded.

    Session after session, each in a transaction of its own: cut short, what is done stays done and everything agrees.
    Where the agent reported more than its requests cost, the rest is what is left of that report.

    Args:
        database: where they are.
        prices: what they cost; what a person set is looked up.
        chosen: which of them.
        dry_run: count only.
        told: hears how many sessions of how many are done.

    Raises:
        DatabaseAway: what was done so far stays; doing it again does the rest.
    """
    await refresh(prices, database)
    sessions = await database.fetch_all("prices.sessions_with", **chosen._asdict())
    providers = provider_by_agent()
    total = Repriced(dry_run=dry_run)
    for done, row in enumerate(sessions):
        told(done, len(sessions))
        session = _Session(row["target_id"], row["session_id"], providers.get(row["agent"], ""))
        total = total + await _reprice_session(database, prices, chosen, session, dry_run)
    told(len(sessions), len(sessions))
    return total


class _Session(NamedTuple):
    target_id: UUID
    session_id: UUID
    provider: str


async def _reprice_session(
    database: Database, prices: PriceList, chosen: Chosen, session: _Session, dry_run: bool
) -> Repriced:
    ids = {"target_id": session.target_id, "session_id": session.session_id}
    async with database.transaction(timeout=_WRITE_SECONDS) as tx:
        if not dry_run:
            await tx.fetch_all("ledger.lock_targets", ids=[session.target_id])
        rows = await tx.fetch_all("prices.requests_of", **ids, **chosen._asdict())
        changed = _changed(prices, session.provider, rows)
        if changed and not dry_run:
            await _write(tx, session, changed)
    return _counted(rows, changed, dry_run)


async def _write(tx: Transaction, session: _Session, changed: Sequence[_NewPrice]) -> None:
    rows = json_rows(changed)
    await tx.execute("prices.keep_changes", target_id=session.target_id, rows=rows)
    await tx.execute("prices.change", target_id=session.target_id, rows=rows)
    days = await sum_up_session(tx, session.target_id, session.session_id)
    await roll_up_days(tx, session.target_id, days)


def _changed(
    prices: PriceList, provider: str, rows: Sequence[Mapping[str, Any]]
) -> list[_NewPrice]:
    found = []
    for row in rows:
        usage = Usage(**{name: row[name] for name in Usage.__struct_fields__})
        # The day of the greatest snapshot where it was priced before, as when it was recorded.
        day = row["price_date"] or row["requested_at"].astimezone(UTC).date()
        at = datetime.combine(day, datetime.min.time(), UTC)
        price = prices.price(provider, row["model"], usage, at, terms=row["price_terms"])
        cost = price.cost_usd.normalize() if price else None
        if cost != row["cost_usd"]:
            source = price.source if price else None
            found.append(_NewPrice(row["request_key"], cost, source, price.day if price else None))
    return found


def _counted(
    rows: Sequence[Mapping[str, Any]], changed: Sequence[_NewPrice], dry_run: bool
) -> Repriced:
    new = {each.request_key: each.cost_usd for each in changed}
    before = [row["cost_usd"] for row in rows]
    after = [new.get(row["request_key"], row["cost_usd"]) for row in rows]
    return Repriced(
        dry_run=dry_run,
        requests=len(rows),
        changed_requests=len(changed),
        changed_sessions=1 if changed else 0,
        cost_before_usd=sum((cost for cost in before if cost is not None), Decimal(0)),
        cost_after_usd=sum((cost for cost in after if cost is not None), Decimal(0)),
        unpriced_before=before.count(None),
        unpriced_after=after.count(None),
    )
