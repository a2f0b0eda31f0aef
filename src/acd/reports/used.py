"""Tokens and cost of any time by any key. Each function gives JSON and raises DatabaseAway when there is no database."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from acd.core.billing import AtListPrice
from acd.core.contract import Row
from acd.core.errors import DatabaseError
from acd.core.moments import zone_named
from acd.core.usage_rows import Asked, UsageBy, UsageReport, UsageSum
from acd.database.connection import Database
from acd.reports._read import read
from acd.reports.blocks import EARLIER, Hour, report_of
from acd.reports.rows import row_of

MOST_ROWS = 1000
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_SHARED = ("feature", "commit")


@dataclass(frozen=True)
class Span:
    """The time meant, in `zone`. `whole_days`: it is made of days of the database's own zone, whose sums are at hand."""

    since: datetime
    until: datetime | None
    zone: ZoneInfo
    whole_days: bool


async def usage(db: Database, by: UsageBy, asked: Asked, *, most: int = MOST_ROWS) -> bytes:
    """One `UsageReport`, of at most `most` rows.

    Raises:
        ConfigError: there is no such time zone.
    """
    span = await span_of(db, asked)
    found = await (_of_days if span.whole_days and by not in _SHARED else _of_requests)(
        db, by, asked, span, most
    )
    total, *rows = msgspec.json.decode(found, type=list[_Counted])
    report = UsageReport(
        since=span.since,
        until=span.until,
        timezone=span.zone.key,
        group_by=by,
        total=_shown(total),
        rows=[_shown(row) for row in rows],
        omitted=max(0, total.row_count - len(rows)),
        list_price_cost_usd=await at_list_price(db, asked, span),
    )
    return _ENCODER.encode(report)


async def blocks(db: Database, asked: Asked) -> bytes:
    """One `BlockReport`.

    Raises:
        ConfigError: there is no such time zone.
    """
    span = await span_of(db, asked)
    found = await read(
        db,
        "used.by_hour",
        since=span.since - EARLIER,
        until=span.until,
        repo_id=asked.repo_id,
        agent=asked.agent,
    )
    hours = msgspec.json.decode(found, type=list[Hour])
    report = report_of(hours, span.since, span.until, datetime.now(UTC))
    since = report.rows[-1].first_at if report.rows else None
    listed = await at_list_price(
        db, asked, replace(span, since=since or span.since, whole_days=False)
    )
    return _ENCODER.encode(msgspec.structs.replace(report, list_price_cost_usd=listed))


class _Counted(UsageSum, frozen=True, kw_only=True):
    row_count: int


def _shown(row: _Counted) -> UsageSum:
    return UsageSum(**{name: getattr(row, name) for name in UsageSum.__struct_fields__})


async def _of_days(db: Database, by: UsageBy, asked: Asked, span: Span, most: int) -> bytes:
    last = None if span.until is None else span.until.date() - timedelta(days=1)
    return await read(
        db,
        "used.of_days",
        by=by,
        first=span.since.date(),
        last=last,
        repo_id=asked.repo_id,
        agent=asked.agent,
        most=most,
    )


async def _of_requests(db: Database, by: UsageBy, asked: Asked, span: Span, most: int) -> bytes:
    of_all = {"by": by, "since": span.since, "until": span.until, "most": most}
    chosen = {"repo_id": asked.repo_id, "agent": asked.agent}
    if by in _SHARED:
        return await read(db, "used.of_shares", **of_all, **chosen)
    return await read(db, "used.of_requests", zone=span.zone.key, **of_all, **chosen)


async def at_list_price(db: Database, asked: Asked, span: Span) -> Decimal:
    """How much of the cost of a time is of sessions under a subscription, in USD: it is at list price only.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await _listed(
        db,
        whole_days=span.whole_days,
        first=span.since.date(),
        last=None if span.until is None else span.until.date() - timedelta(days=1),
        since=span.since,
        until=span.until,
        repo_id=asked.repo_id,
        agent=asked.agent,
    )


async def at_list_price_of_days(
    db: Database, first: date, last: date, repo_id: str | None
) -> Decimal:
    """As `at_list_price`, of days of the database's time zone, both included.

    Raises:
        DatabaseAway: there is no database now.
    """
    return await _listed(
        db,
        whole_days=True,
        first=first,
        last=last,
        since=None,
        until=None,
        repo_id=repo_id,
        agent=None,
    )


async def _listed(db: Database, **asked: Hashable) -> Decimal:
    return msgspec.json.decode(await read(db, "used.at_list_price", **asked), type=Decimal)


async def priced_how(db: Database, repo_id: str | None = None) -> AtListPrice:
    """How much of a target's cost, or of all, is at list price; cheaper than to ask for the amount.

    Raises:
        DatabaseAway: there is no database now.
    """
    found = row_of(await read(db, "used.priced_how", repo_id=repo_id), _Billed)
    if not found.subscribed:
        return "none"
    return "part" if found.otherwise else "all"


class _Billed(Row, frozen=True):
    subscribed: bool
    otherwise: bool


async def span_of(db: Database, asked: Asked) -> Span:
    """The time that is asked for.

    Raises:
        ConfigError: there is no such time zone.
    """
    zone = None if asked.timezone is None else zone_named(asked.timezone)
    row = await db.fetch_one("used.zone", zone=zone.key if zone else None)
    if row is None:
        raise DatabaseError("the query used.zone gave no row")
    zone = zone or zone_named(row["zone"])
    until = _in(asked.until, zone)
    last = row["today"] if until is None else (until - timedelta(microseconds=1)).date()
    since = _in(asked.since, zone) or _begin(
        min(row["today"], last) - timedelta(days=asked.days - 1), zone
    )
    bounds = [since] if until is None else [since, until]
    whole = zone.key == row["zone"] and all(each.time() == time() for each in bounds)
    return Span(since, until, zone, whole)


def _in(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    if moment is None:
        return None
    return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
