"""What a session had used by when, as a line that a template draws as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from acd.core.timeline_rows import CurvePoint

WIDTH, HEIGHT = 720, 120


@dataclass(frozen=True)
class Curve:
    """A line in a box of `WIDTH` by `HEIGHT` that begins with nothing at the session's start and rises in steps."""

    line: str
    area: str
    first: datetime
    last: datetime
    cost_usd: Decimal
    tokens: int
    of_cost: bool


def curve(points: Sequence[CurvePoint], started_at: datetime) -> Curve | None:
    """The cost so far, or the tokens where nothing has a price; None where nothing was used."""
    if not points:
        return None
    end = points[-1]
    of_cost = end.cost_usd > 0
    first, last = min(started_at, points[0].at), end.at
    seconds = (last - first).total_seconds() or 1.0
    greatest = float(end.cost_usd if of_cost else end.tokens) or 1.0
    parts = [f"M0 {HEIGHT}"]
    for point in points:
        x = (point.at - first).total_seconds() / seconds * WIDTH
        y = HEIGHT - float(point.cost_usd if of_cost else point.tokens) / greatest * HEIGHT
        parts.append(f"H{x:.1f}V{y:.1f}")
    line = "".join(parts)
    return Curve(
        line=line,
        area=f"{line}V{HEIGHT}Z",
        first=first,
        last=last,
        cost_usd=end.cost_usd,
        tokens=end.tokens,
        of_cost=of_cost,
    )
