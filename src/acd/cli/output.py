"""What reading commands print: tables for people, exact JSON for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
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
    """A table's column. In a narrow terminal a flexible one is cut, a wrapped one broken; the others never give way.

    A column that `needs` a width is left out of narrower terminals.
    """

    title: str
    right: bool = False
    flexible: bool = False
    wrapped: bool = False
    needs: int = 0


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


def make_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Table:
    """A table without lines. Text of others is made printable here."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.show_header = any(column.title for column in columns)
    for index, column in enumerate(columns):
        gives_way = column.flexible or column.wrapped
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            # Only a column that may wrap gives way; what keeps a flexible one on one line is its text.
            no_wrap=not gives_way,
            overflow="fold" if column.wrapped else "ellipsis",
            min_width=None if gives_way else _widest(column.title, rows, index),
        )
    for row in rows:
        table.add_row(*(_cell(cell, column) for cell, column in zip(row, columns, strict=True)))
    return table


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print such a table; without the blanks at the ends of lines where it is not for a terminal."""
    console = make_console()
    shown = [index for index, column in enumerate(columns) if column.needs <= console.width]
    table = make_table([columns[i] for i in shown], [[row[i] for i in shown] for row in rows])
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as printed:
        console.print(table)
    print("\n".join(line.rstrip() for line in printed.get().splitlines()))


def show_json(report: bytes) -> None:
    """Print a report exactly as PostgreSQL made it; indented and without raw control characters on a terminal."""
    if sys.stdout.isatty():
        text = msgspec.json.format(report, indent=2).decode()
        print("\n".join(_escaped(line) for line in text.split("\n")))
    else:
        sys.stdout.buffer.write(report + b"\n")
        sys.stdout.buffer.flush()


def say(message: str = "", *, after_blank: bool = False) -> None:
    """A sentence for the reader, such as what to do next; wrapped, never cut."""
    if after_blank:
        print()
    make_console().print(printable(message))


def _cell(cell: Cell, column: Column) -> Text:
    text = _shown(cell)
    text.no_wrap = not column.wrapped
    return text


def _shown(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(shorten(printable(cell), _LONGEST_CELL))


def _widest(title: str, rows: Sequence[Sequence[Cell]], index: int) -> int:
    return max([len(title), *(_shown(row[index]).cell_len for row in rows)])


def _escaped(line: str) -> str:
    """JSON's own escapes (`printable` has others): what was valid stays valid."""
    if printable(line) == line:
        return line
    return "".join(c if printable(c) == c else f"\\u{ord(c):04x}" for c in line)
