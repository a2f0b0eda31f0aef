"""Forecasts: what a pace says, and when it says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from acd.core.progress_rows import Forecast, Pace
from acd.reports.forecast import from_pace

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


def after(days: float, *, gained: int, remaining: int) -> Forecast:
    since = NOW - timedelta(days=days)
    return from_pace(Pace(remaining=remaining, gained=gained, since=since, now=NOW))


def test_the_pace_of_the_last_days_is_taken_to_hold() -> None:
    told = after(7, gained=14, remaining=6)
    assert told.finish == NOW + timedelta(days=3)
    assert told.reason == "if the pace holds: 14 features passed in 7 days"


def test_the_range_is_that_of_the_rate_at_80_per_cent() -> None:
    """Half of the chi-squared distribution at 10 and 90 %: of 28 degrees 18.94 / 2, of 30 degrees 40.26 / 2."""
    told = after(7, gained=14, remaining=14)
    assert told.earliest is not None
    assert told.latest is not None
    assert (told.latest - NOW) / timedelta(days=7) == pytest.approx(14 / 9.47, rel=0.01)
    assert (told.earliest - NOW) / timedelta(days=7) == pytest.approx(14 / 20.13, rel=0.01)


def test_more_features_make_a_narrower_range() -> None:
    def width(told: Forecast) -> timedelta:
        assert told.earliest is not None
        assert told.latest is not None
        return told.latest - told.earliest

    assert width(after(7, gained=70, remaining=70)) < width(after(7, gained=7, remaining=7))


@pytest.mark.parametrize(
    ("pace", "reason"),
    [
        (Pace(remaining=0, gained=9, since=NOW, now=NOW), "everything passes"),
        (Pace(remaining=3, gained=0, since=None, now=NOW), "no session was begun yet"),
        (
            Pace(remaining=3, gained=2, since=NOW - timedelta(hours=5), now=NOW),
            "2 features passed in 5 hours: too few to tell a pace from (at least 3)",
        ),
        (
            Pace(remaining=3, gained=0, since=NOW - timedelta(minutes=4), now=NOW),
            "0 features passed in 4 minutes: too few to tell a pace from (at least 3)",
        ),
    ],
)
def test_without_a_pace_it_says_why(pace: Pace, reason: str) -> None:
    told = from_pace(pace)
    assert (told.finish, told.earliest, told.latest) == (None, None, None)
    assert told.reason == reason


def test_what_lies_years_ahead_is_not_told() -> None:
    told = after(7, gained=3, remaining=2000)
    assert told.finish is None
    assert told.latest is None
    assert told.reason.startswith("more than three years")
