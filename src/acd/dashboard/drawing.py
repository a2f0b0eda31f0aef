"""Small drawings as plain geometry that a template writes as SVG. Lengths are in units of the view box, y grows downwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

WIDTH = 24
GAP = 6
HEIGHT = 72
SPARK_WIDTH, SPARK_HEIGHT = 100, 24


@dataclass(frozen=True)
class Bar:
    """A day's bar."""

    day: date
    value: Decimal
    x: int
    y: float
    height: float


def bars(days: Sequence[tuple[date, Decimal]]) -> list[Bar]:
    """One bar a day, oldest first, days without a value included; the greatest value has the full height.

    A value above zero is at least one unit high, so that a cheap day does not look like a day without work.
    """
    if not days:
        return []
    values = dict(days)
    first, greatest = min(values), max(values.values())
    drawn = []
    for place in range((max(values) - first).days + 1):
        day = first + timedelta(days=place)
        value = values.get(day, Decimal(0))
        height = max(1.0, float(value / greatest) * HEIGHT) if value > 0 else 0.0
        drawn.append(Bar(day, value, place * (WIDTH + GAP), HEIGHT - height, height))
    return drawn


@dataclass(frozen=True)
class Spark:
    """A line without axes: `line` and the `area` below it are path data in a box of `SPARK_WIDTH` by `SPARK_HEIGHT`."""

    line: str
    area: str


def spark(values: Sequence[float | Decimal]) -> Spark | None:
    """A sparkline from zero (or the least value below it) to the greatest; None where less than two values are known."""
    if len(values) < 2:
        return None
    numbers = [float(value) for value in values]
    low, high = min(0.0, *numbers), max(numbers)
    span = (high - low) or 1.0
    step = SPARK_WIDTH / (len(numbers) - 1)
    points = [
        (n * step, SPARK_HEIGHT - 1 - (value - low) / span * (SPARK_HEIGHT - 2))
        for n, value in enumerate(numbers)
    ]
    line = path_of(points)
    return Spark(line, f"{line}V{SPARK_HEIGHT}H0Z")


def path_of(points: Sequence[tuple[float, float]]) -> str:
    """Path data of straight lines through points."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def steps_of(points: Sequence[tuple[float, float]]) -> str:
    """Path data of what holds its value until the next point: first across, then up or down."""
    (x, y), *rest = points
    return f"M{x:.1f} {y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in rest)


@dataclass(frozen=True)
class Part:
    """A part of a bar: `tone` is its class in the style sheet."""

    tone: str
    x: float
    width: float


def parts_of(whole: float, *shares: tuple[str, float]) -> list[Part]:
    """Parts of a bar of 100 by their share of a whole, one beside the other, never beyond its end."""
    drawn, x = [], 0.0
    for tone, share in shares:
        width = min(100.0 - x, 100.0 * share / whole) if whole > 0 and share > 0 else 0.0
        if width > 0:
            drawn.append(Part(tone, x, width))
            x += width
    return drawn


FILTERS = {"spark": spark}
