"""Cost over time as stacks: the largest keys each one, all others together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from acd.core.spending import CostOverTime, CostPart

OTHERS = None
"""The key of what is no stack of its own."""
MOST = 7


@dataclass(frozen=True)
class Part:
    """What a stack has in one step of time; `unpriced` counts the requests that its cost leaves out."""

    first_day: date
    cost: Decimal
    unpriced: int


@dataclass(frozen=True)
class Stack:
    """One key over time, oldest first; `key` is OTHERS for all that are too small for one of their own."""

    key: str | None
    name: str
    total: Decimal
    parts: tuple[Part, ...]

    @property
    def unpriced(self) -> int:
        """How many requests its cost leaves out."""
        return sum(part.unpriced for part in self.parts)


def stacks(told: CostOverTime) -> list[Stack]:
    """The keys that cost most, the most first, then the others; one key too many is shown rather than called others."""
    by_key: dict[str, list[CostPart]] = defaultdict(list)
    for part in reversed(told.rows):
        by_key[part.key].append(part)
    ordered = sorted(by_key.items(), key=lambda each: (-_sum(each[1]), each[0]))
    most = MOST if len(ordered) > MOST + 1 else MOST + 1
    shown = [
        Stack(key, parts[0].name or key, _sum(parts), _parts(parts))
        for key, parts in ordered[:most]
    ]
    rest = [part for _, parts in ordered[most:] for part in parts]
    if rest:
        shown.append(Stack(OTHERS, f"{len(ordered) - most} others", _sum(rest), _parts(rest)))
    return shown


def _sum(parts: list[CostPart]) -> Decimal:
    return sum((part.cost_usd for part in parts), Decimal(0))


def _parts(parts: list[CostPart]) -> tuple[Part, ...]:
    days: dict[date, list[CostPart]] = defaultdict(list)
    for part in parts:
        days[part.first_day].append(part)
    return tuple(
        Part(day, _sum(days[day]), sum(part.unpriced_requests for part in days[day]))
        for day in sorted(days)
    )


@dataclass(frozen=True)
class Row:
    """One step of time as a row of a table: what all cost, and each stack in order; None where it used nothing."""

    first_day: date
    total: Decimal
    unpriced: int
    cells: tuple[Part | None, ...]


def table_of(shown: list[Stack]) -> list[Row]:
    """Stacks as a table, newest first."""
    by_stack = [{part.first_day: part for part in stack.parts} for stack in shown]
    days = sorted({day for parts in by_stack for day in parts}, reverse=True)
    return [_row(day, tuple(parts.get(day) for parts in by_stack)) for day in days]


def _row(day: date, cells: tuple[Part | None, ...]) -> Row:
    there = [cell for cell in cells if cell]
    total = sum((cell.cost for cell in there), Decimal(0))
    return Row(day, total, sum(cell.unpriced for cell in there), cells)
