"""What the API says of progress over time and of what is to come, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from datetime import date

from acd.core.contract import Moment, Row


class FeatureDay(Row, frozen=True):
    """Features as they stood at the end of a day, or now for today. Days, and so `ends_at`, are those of the database's zone."""

    date: date
    ends_at: Moment
    total_features: int
    passing_features: int
    verified_features: int


class Pace(Row, frozen=True):
    """What a forecast is made of: `gained` features were first seen passing since then and still pass.

    `since` is 7 days before `now`, or the start of the first session where that is later; None when there was none.
    """

    remaining: int
    gained: int
    since: Moment | None
    now: Moment


class Forecast(Row, frozen=True):
    """When the last feature would pass if the pace holds; `earliest` to `latest` is a range of 80 %.

    `reason` says in words what it is made of, or why there is none: then the times are None. `latest` is None too
    where the pace is too slow to tell.
    """

    remaining: int
    gained: int
    since: Moment | None
    finish: Moment | None
    earliest: Moment | None
    latest: Moment | None
    reason: str
