"""Intervals against figures of textbooks, and against chance itself."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from acd.core.comparison import Interval
from acd.reports import intervals
from acd.reports.intervals import Sums


def ends(interval: Interval | None) -> list[float]:
    assert interval is not None
    return [interval.low, interval.high]


@pytest.mark.parametrize(
    ("successes", "tries", "expected"),
    [  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, [0.2553, 0.3662]),
        (15, 148, [0.0624, 0.1605]),
        (0, 20, [0.0, 0.1611]),
        (1, 29, [0.0061, 0.1718]),
    ],
)
def test_wilson(successes: int, tries: int, expected: list[float]) -> None:
    assert ends(intervals.wilson(successes, tries)) == pytest.approx(expected, abs=5e-5)
    mirrored = ends(intervals.wilson(tries - successes, tries))
    assert mirrored == pytest.approx([1 - expected[1], 1 - expected[0]], abs=5e-5)


@pytest.mark.parametrize(("freedom", "point"), [(4, 2.7764), (9, 2.2622), (29, 2.0452)])
def test_student(freedom: int, point: float) -> None:
    assert intervals.student(freedom) == pytest.approx(point, rel=3e-3)


def test_a_mean_of_known_values() -> None:
    """4, 5, 6, 7, 8: mean 6, standard error sqrt(2.5 / 5), t with 4 degrees of freedom 2.776."""
    assert ends(intervals.mean(5, 30, 190)) == pytest.approx([4.037, 7.963], abs=0.01)
    assert ends(intervals.mean(9, 18, 36)) == [2.0, 2.0]


def test_too_few_sessions_give_no_interval() -> None:
    assert intervals.wilson(0, 0) is None
    assert intervals.mean(4, 8, 17) is None
    assert intervals.ratio(Sums(4, 8, 4, 17, 5, 9)) is None


def test_a_ratio_by_next_to_nothing_has_no_bound() -> None:
    values = [(1.0, float(y)) for y in (0, 0, 0, 1, 0, 0)]
    assert intervals.ratio(sums_of(values)) is None
    assert intervals.ratio(sums_of([(1.0, 0.0)] * 9)) is None


def test_a_ratio_by_a_constant_is_a_mean() -> None:
    costs = [4.0, 5.0, 6.0, 7.0, 8.0]
    by_two = ends(intervals.ratio(sums_of([(cost, 2.0) for cost in costs])))
    assert by_two == pytest.approx([end / 2 for end in ends(intervals.mean(5, 30, 190))])


def test_the_true_ratio_lies_within_in_about_95_of_100_trials() -> None:
    chance = random.Random(7)
    trials = [[session(chance) for _ in range(30)] for _ in range(1000)]
    found = [ends(intervals.ratio(sums_of(trial))) for trial in trials]
    hits = sum(low <= 1.5 <= high for low, high in found)
    assert 930 <= hits <= 975


def test_more_sessions_make_it_narrower() -> None:
    widths = [high - low for low, high in (ends(intervals.wilson(n // 2, n)) for n in (4, 40, 400))]
    assert all(wide > narrow for wide, narrow in pairwise(widths))


def session(chance: random.Random) -> tuple[float, float]:
    """Cost and features of one: 1.5 USD a feature, give or take."""
    features = float(chance.choice([0, 1, 2, 3]))
    return 1.0 + features * 0.8333333333333 + chance.gauss(0, 0.3), features


def sums_of(values: list[tuple[float, float]]) -> Sums:
    return Sums(
        len(values),
        sum(x for x, _ in values),
        sum(y for _, y in values),
        sum(x * x for x, _ in values),
        sum(y * y for _, y in values),
        sum(x * y for x, y in values),
    )
