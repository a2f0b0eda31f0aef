"""Small charts as plain geometry that a template draws as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

WIDTH = 24
GAP = 6
HEIGHT = 72


@dataclass(frozen=True)
class Bar:
    """A day's bar; lengths are in units of the chart's view box, y grows downwards."""

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
