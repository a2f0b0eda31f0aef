"""Hours become blocks of five hours, as subscriptions count them. Pure.

A block begins at the full hour (of UTC) of the first request after the block before is over, so that sums of hours are
all that has to be known. It is what `ccusage blocks` shows, whose rule this is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from acd.core.contract import Moment, Row
from acd.core.usage_rows import Block, BlockReport

LENGTH = timedelta(hours=5)
EARLIER = timedelta(days=30)
"""How long before the time asked for hours are read: where a block begins depends on the one before."""

_LEAST = timedelta(minutes=1)
_SUMS = (
    "requests",
    "unpriced_requests",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "total_tokens",
    "cost_usd",
)


class Hour(Row, frozen=True):
    """What was spent in an hour that begins at `hour`."""

    hour: Moment
    first_at: Moment
    last_at: Moment
    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    total_tokens: int
    cost_usd: Decimal
    models: list[str]


def report_of(
    hours: Sequence[Hour], since: datetime, until: datetime | None, now: datetime
) -> BlockReport:
    """The blocks that end after `since`, newest first.

    Args:
        hours: oldest first, from some time before `since` on.
        since: only blocks that end later.
        until: when the hours end, None for now.
        now: which block is active, and how long it has been.
    """
    cut = [each for each in _cut(hours) if each[0].hour + LENGTH > since]
    shown = [hour for each in cut for hour in each]
    total = Block(
        key=None,
        name=None,
        until=None,
        first_at=shown[0].first_at if shown else None,
        last_at=shown[-1].last_at if shown else None,
        active=False,
        projected_tokens=None,
        projected_cost_usd=None,
        **_summed(shown),
    )
    whole = (
        until is None or until >= now
    )  # else nobody knows what was spent since, and there is nothing to project
    blocks = [_block(each, now if whole else None) for each in reversed(cut)]
    return BlockReport(since=since, until=until, total=total, rows=blocks)


def _cut(hours: Sequence[Hour]) -> list[list[Hour]]:
    found: list[list[Hour]] = []
    for hour in hours:
        if not found or hour.hour >= found[-1][0].hour + LENGTH:
            found.append([])
        found[-1].append(hour)
    return found


def _block(hours: Sequence[Hour], now: datetime | None) -> Block:
    begin, end = hours[0].hour, hours[0].hour + LENGTH
    sums = _summed(hours)
    active = now is not None and begin <= now < end
    factor = None
    if now is not None and active:
        spent = max(now - hours[0].first_at, _LEAST)
        factor = 1 + _seconds(end - now) / _seconds(spent)
    return Block(
        key=begin.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        name=None,
        until=end,
        first_at=hours[0].first_at,
        last_at=hours[-1].last_at,
        active=active,
        projected_tokens=None if factor is None else int(sums["total_tokens"] * factor),
        projected_cost_usd=None if factor is None else round(sums["cost_usd"] * factor, 6),
        **sums,
    )


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(seconds=1))


def _summed(hours: Sequence[Hour]) -> dict[str, Any]:
    sums = {name: sum(getattr(hour, name) for hour in hours) for name in _SUMS}
    return {
        **sums,
        "cost_usd": sum((hour.cost_usd for hour in hours), Decimal(0)),
        "models": sorted({model for hour in hours for model in hour.models}),
    }
