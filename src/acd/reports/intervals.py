"""How far off a figure may be that comes from few sessions: intervals of 95 %.

Wilson's for a rate (E. B. Wilson, 1927), Student's for a mean, Fieller's for a ratio of two means (E. C. Fieller, 1954).
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from acd.core.comparison import Interval

FEWEST = 5
"""Sessions below which a mean or a ratio gets no interval: what it would say is noise itself."""
_TAIL = 0.975


class Sums(NamedTuple):
    """Of pairs (x, y): how many, sums, sums of squares and of products."""

    pairs: int
    x: float
    y: float
    xx: float
    yy: float
    xy: float


def wilson(successes: int, tries: int) -> Interval | None:
    """Of a rate; it never leaves 0 to 1, and is not a point at 0 of 3 or 3 of 3."""
    if tries == 0:
        return None
    z = NormalDist().inv_cdf(_TAIL)
    rate, share = successes / tries, z * z / tries
    middle = rate + share / 2
    half = z * sqrt(rate * (1 - rate) / tries + share / (4 * tries))
    return Interval(
        max(0.0, (middle - half) / (1 + share)), min(1.0, (middle + half) / (1 + share))
    )


def mean(count: int, total: float, squares: float) -> Interval | None:
    """Of the mean of `count` values with this sum and sum of squares."""
    if count < FEWEST:
        return None
    middle = total / count
    half = student(count - 1) * sqrt(_spread(count, total, squares) / count)
    return Interval(middle - half, middle + half)


def ratio(sums: Sums) -> Interval | None:
    """Of sum x by sum y, never below 0. None too where y may as well be nothing: then there is no bound."""
    count = sums.pairs
    if count < FEWEST or sums.y <= 0:
        return None
    x, y = sums.x / count, sums.y / count
    of_x = _spread(count, sums.x, sums.xx) / count
    of_y = _spread(count, sums.y, sums.yy) / count
    of_both = _shared(count, sums.x, sums.y, sums.xy) / count
    t = student(count - 1)
    doubt = t * t * of_y / (y * y)
    if doubt >= 1:
        return None
    rate = x / y
    unshared = of_x - of_both * of_both / of_y if of_y > 0 else of_x
    middle = (rate - doubt * of_both / of_y) if of_y > 0 else rate
    within = of_x - 2 * rate * of_both + rate * rate * of_y - doubt * unshared
    half = t / y * sqrt(max(0.0, within))
    return Interval(max(0.0, (middle - half) / (1 - doubt)), (middle + half) / (1 - doubt))


def student(freedom: int) -> float:
    """The 97.5 % point of Student's t, by its expansion (Abramowitz and Stegun 26.7.5); 0.3 % off at 4, then less."""
    z = NormalDist().inv_cdf(_TAIL)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def _spread(count: int, x: float, squares: float) -> float:
    """Variance from sums; rounding never makes it negative."""
    return max(0.0, _shared(count, x, x, squares))


def _shared(count: int, x: float, y: float, products: float) -> float:
    """Covariance from sums."""
    return (products - x * y / count) / (count - 1)
