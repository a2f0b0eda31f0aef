"""The burn-up as geometry."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

import pytest

from acd.core.progress_rows import FeatureDay, Forecast
from acd.dashboard.burning import HEIGHT, WIDTH, burn_up

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def ahead(
    *, days: float | None = None, earliest: float | None = None, latest: float | None = None
) -> Forecast:
    def at(number: float | None) -> datetime | None:
        return None if number is None else NOW + timedelta(days=number)

    return Forecast(
        remaining=10,
        gained=20,
        since=NOW - timedelta(days=7),
        finish=at(days),
        earliest=at(earliest),
        latest=at(latest),
        reason="",
    )


def grown(days: int, zone: tzinfo = UTC) -> list[FeatureDay]:
    first = NOW.date() - timedelta(days=days - 1)
    return [
        FeatureDay(
            date=first + timedelta(days=n),
            ends_at=datetime.combine(first + timedelta(days=n + 1), time(), zone),
            total_features=40,
            passing_features=30 - (days - 1 - n),
            verified_features=0,
        )
        for n in range(days)
    ]


def numbers(path: str) -> list[float]:
    return [float(word) for word in re.findall(r"-?\d+\.\d", path)]


def test_without_features_there_is_nothing_to_draw() -> None:
    assert burn_up([], [], ahead(), NOW) is None
    empty = FeatureDay(
        date=date(2026, 11, 24),
        ends_at=NOW,
        total_features=0,
        passing_features=0,
        verified_features=0,
    )
    assert burn_up([empty], [], ahead(), NOW) is None


def test_days_go_from_edge_to_edge_and_end_now() -> None:
    drawn = burn_up(grown(10), [], ahead(), NOW)
    assert drawn is not None
    assert drawn.forecast is None
    assert drawn.band is None
    assert drawn.passing.count("H") == 9
    assert drawn.now == pytest.approx(WIDTH - 8)
    assert [mark.word for mark in drawn.rows] == ["0", "10", "20", "30", "40"]


def test_a_day_ends_at_the_databases_midnight() -> None:
    tokyo = timezone(timedelta(hours=9))
    drawn = burn_up(grown(4, tokyo), [], ahead(), NOW)
    assert drawn is not None
    assert drawn.columns[0].when == datetime(2026, 11, 21, 15, tzinfo=UTC)
    assert [mark.word for mark in drawn.columns][::4] == ["21 Nov", "24 Nov"]
    assert {mark.kind for mark in drawn.columns} == {"date"}
    assert drawn.columns[-1].when == NOW


def test_a_forecast_leads_from_now_to_where_everything_passes() -> None:
    drawn = burn_up(grown(10), [], ahead(days=3, earliest=2, latest=5), NOW)
    assert drawn is not None
    assert drawn.forecast is not None
    x0, y0, x1, y1 = numbers(drawn.forecast)
    assert x0 == pytest.approx(drawn.now, abs=0.1)
    assert x1 > x0
    assert y0 == pytest.approx(drawn.rows[3].at, abs=0.1)
    assert y1 == pytest.approx(drawn.rows[4].at, abs=0.1)
    assert drawn.band is not None


@pytest.mark.parametrize("latest", [500.0, None])
def test_what_lies_far_ahead_is_cut_at_the_edge(latest: float | None) -> None:
    drawn = burn_up(grown(10), [], ahead(days=400, earliest=300, latest=latest), NOW)
    assert drawn is not None
    for path in (drawn.forecast or "", drawn.band or "", drawn.passing, drawn.total):
        xs = numbers(path)[::2] if "H" not in path else []
        assert all(0 <= x <= WIDTH for x in xs), path
    assert drawn.now >= WIDTH * 0.45


def test_a_first_night_is_drawn_by_the_hour() -> None:
    times = [NOW - timedelta(hours=n) for n in range(5)]
    drawn = burn_up(grown(1), times, ahead(), NOW)
    assert drawn is not None
    assert drawn.passing.count("V") == 6
    assert all(re.fullmatch(r"\d\d:\d\d", mark.word) for mark in drawn.columns)
    ys = [float(y) for y in re.findall(r"V([\d.]+)", drawn.passing)]
    assert ys == sorted(ys, reverse=True)
    assert all(0 <= y <= HEIGHT for y in ys)


def test_the_clock_of_another_machine_may_be_ahead() -> None:
    times = [NOW + timedelta(minutes=n) for n in range(1, 4)]
    drawn = burn_up(grown(1), times, ahead(), NOW)
    assert drawn is not None
