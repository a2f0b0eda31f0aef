"""Columns of a table, and how wide they may be: for tables however they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """A table's column. In a narrow terminal a flexible one is cut, a wrapped one broken; the others never give way.

    A column that `needs` a width is left out of narrower terminals.
    """

    title: str
    right: bool = False
    flexible: bool = False
    wrapped: bool = False
    needs: int = 0


ANY_WIDTH = 10_000
"""Into a file or a pipe lines are as long as they are, so that nothing is cut away from `grep`."""

LONGEST_CELL = 400


def shrink(widths: list[int], columns: Sequence[Column], room: int) -> None:
    """Take what does not fit from the widest flexible columns, down to their titles."""
    flexible = [index for index, column in enumerate(columns) if column.flexible]
    excess = sum(widths) + 2 * (len(widths) - 1) - room
    while excess > 0 and flexible:
        widest = max(flexible, key=lambda index: widths[index])
        if widths[widest] <= max(len(columns[widest].title), 1):
            return
        widths[widest] -= 1
        excess -= 1
