"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from acd.core.errors import ConfigError
from acd.core.moments import moment_of, zone_named

BERLIN = zone_named("Europe/Berlin")
NOW = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
"""Half past midnight of the 25th in Berlin."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-11-24T23:30:00+00:00"),
        ("today", "2026-11-24T23:00:00+00:00"),
        ("Yesterday", "2026-11-23T23:00:00+00:00"),
        ("90m", "2026-11-24T22:00:00+00:00"),
        ("12h", "2026-11-24T11:30:00+00:00"),
        ("7d", "2026-11-17T23:30:00+00:00"),
        ("2 w ago", "2026-11-10T23:30:00+00:00"),
        ("2026-07-01", "2026-06-30T22:00:00+00:00"),
        ("2026-11-24T08:00", "2026-11-24T07:00:00+00:00"),
        ("2026-11-24 08:00", "2026-11-24T07:00:00+00:00"),
        ("2026-11-24T08:00Z", "2026-11-24T08:00:00+00:00"),
        ("2026-11-24T08:00:30-05:00", "2026-11-24T13:00:30+00:00"),
    ],
)
def test_what_is_meant(text: str, expected: str) -> None:
    assert moment_of(text, BERLIN, NOW).astimezone(UTC).isoformat() == expected


def test_a_day_may_have_25_hours() -> None:
    now = datetime(2026, 10, 26, 12, tzinfo=UTC)
    day = moment_of("today", BERLIN, now).astimezone(UTC) - moment_of(
        "yesterday", BERLIN, now
    ).astimezone(UTC)
    assert day == timedelta(hours=25)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-13-01", "2026-02-30", "7x", "999999w", "2026", "20261124", "t", "1" * 40],
)
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="is no time: write yesterday"):
        moment_of(text, BERLIN, NOW)


@pytest.mark.parametrize("name", ["Nowhere", "", "../etc/passwd", "Europe"])
def test_a_zone_that_is_none_is_told(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown time zone"):
        zone_named(name)
