"""What reading commands print: tables for people, exact JSON for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from acd.core.text import printable, shorten

Cell = str | Text
_ANY_WIDTH = 10_000
_LONGEST_CELL = 400


class Column(NamedTuple):
    """A table's column. A flexible one gives way, with an ellipsis, when the terminal is narrow; the others never."""

    title: str
    right: bool = False
    flexible: bool = False


def make_console(*, stderr: bool = False) -> Console:
    """A console that takes text as it is: no markup, no emoji; colour only on a terminal and without NO_COLOR.

    Into a file or a pipe lines are as long as they are, so that nothing is cut away from `grep`.
    """
    stream = sys.stderr if stderr else sys.stdout
    wide = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        width=_ANY_WIDTH if wide else None,
    )


def make_table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Table:
    """A table without lines. Text of others is made printable here."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=None
            if column.flexible
            else _widest(column.title, rows, columns.index(column)),
        )
    for row in rows:
        table.add_row(*(_shown(cell) for cell in row))
    return table


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print such a table."""
    make_console().print(make_table(columns, rows))


def show_json(report: bytes) -> None:
    """Print a report exactly as PostgreSQL made it; indented and without raw control characters on a terminal."""
    if sys.stdout.isatty():
        text = msgspec.json.format(report, indent=2).decode()
        print("\n".join(_escaped(line) for line in text.split("\n")))
    else:
        sys.stdout.buffer.write(report + b"\n")
        sys.stdout.buffer.flush()


def say(message: str) -> None:
    """A line for the reader, such as what to do next; wrapped, never cut."""
    make_console().print(printable(message), soft_wrap=not sys.stdout.isatty())


def _shown(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(shorten(printable(cell), _LONGEST_CELL))


def _widest(title: str, rows: Iterable[Sequence[Cell]], index: int) -> int:
    return max([len(title), *(_shown(row[index]).cell_len for row in rows)])


def _escaped(line: str) -> str:
    """JSON's own escapes (`printable` has others): what was valid stays valid."""
    if printable(line) == line:
        return line
    return "".join(c if printable(c) == c else f"\\u{ord(c):04x}" for c in line)
