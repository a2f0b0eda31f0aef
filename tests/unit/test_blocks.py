"""Blocks of five hours, worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from acd.core.usage_rows import BlockReport
from acd.reports.blocks import Hour, report_of

DAY = datetime(2026, 11, 24, tzinfo=UTC)


def hour(clock: float, cost: str = "1", tokens: int = 100) -> Hour:
    """Spent at that clock time, all of it in one request."""
    at = DAY + timedelta(hours=clock)
    return Hour(
        hour=at.replace(minute=0),
        first_at=at,
        last_at=at,
        requests=1,
        unpriced_requests=0,
        input_tokens=tokens,
        output_tokens=0,
        cache_read_tokens=0,
        cache_write_tokens=0,
        total_tokens=tokens,
        cost_usd=Decimal(cost),
        models=["opus"],
    )


def report(*hours: Hour, now: float = 48, since: float = 0) -> BlockReport:
    return report_of(hours, DAY + timedelta(hours=since), None, DAY + timedelta(hours=now))


def begins(told: BlockReport) -> list[tuple[str | None, int]]:
    return [(row.key, row.requests) for row in told.rows]


def test_a_block_begins_at_the_full_hour_of_the_first_request_after_the_one_before() -> None:
    told = report(hour(8.5), hour(12.9), hour(13.1), hour(23))
    assert begins(told) == [
        ("2026-11-24T23:00:00Z", 1),
        ("2026-11-24T13:00:00Z", 1),
        ("2026-11-24T08:00:00Z", 2),
    ]
    assert told.total.requests == 4
    assert told.rows[2].until == DAY + timedelta(hours=13)
    assert not any(row.active for row in told.rows)


def test_blocks_that_were_over_before_still_shape_those_after() -> None:
    told = report(hour(8), hour(12), hour(14), hour(18), since=14)
    assert begins(told) == [("2026-11-24T14:00:00Z", 2)]
    assert told.total.requests == 2


def test_the_block_that_runs_is_projected_from_its_first_request() -> None:
    told = report(hour(8.5, "2", 300), now=10.5)
    row = told.rows[0]
    assert row.active
    # 2 hours so far, 2.5 to go: 2.25 times as much
    assert (row.projected_tokens, row.projected_cost_usd) == (675, Decimal("4.5"))


def test_a_block_of_a_second_ago_is_not_projected_to_the_moon() -> None:
    told = report(hour(8, "1"), now=8.0001)
    assert told.rows[0].projected_cost_usd is not None
    assert told.rows[0].projected_cost_usd <= 301


@pytest.mark.parametrize("now", [7.0, 13.0])
def test_only_a_block_that_runs_is_active(now: float) -> None:
    told = report(hour(8), now=now)
    assert (told.rows[0].active, told.rows[0].projected_tokens) == (False, None)


def test_nothing_gives_no_block() -> None:
    told = report()
    assert (told.rows, told.total.requests, told.total.first_at) == ([], 0, None)


@pytest.mark.parametrize(("until", "active"), [(9.5, False), (11, True)])
def test_what_was_spent_only_up_to_a_time_is_not_projected(until: float, active: bool) -> None:
    hours, now = [hour(8.5)], DAY + timedelta(hours=10.5)
    told = report_of(hours, DAY, DAY + timedelta(hours=until), now)
    assert told.rows[0].active is active
    assert (told.rows[0].projected_cost_usd is not None) is active
