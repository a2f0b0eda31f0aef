"""What reading commands print: tables for people, exact JSON for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from acd.cli.columns import ANY_WIDTH, LONGEST_CELL, Column, shrink
from acd.core.text import printable, shorten

__all__ = [
    "Cell",
    "Column",
    "make_console",
    "make_table",
    "say",
    "show_json",
    "show_table",
]

Cell = str | Text


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
        width=ANY_WIDTH if wide else None,
    )


def make_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Table:
    """A table without lines. Text of others is made printable here."""
    texts = [
        [_text(cell, column) for cell, column in zip(row, columns, strict=True)] for row in rows
    ]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.show_header = any(column.title for column in columns)
    for index, column in enumerate(columns):
        gives_way = column.flexible or column.wrapped
        widest = max([len(column.title), *(row[index].cell_len for row in texts)])
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            # Only a column that may wrap gives way; what keeps a flexible one on one line is its text.
            no_wrap=not gives_way,
            overflow="fold" if column.wrapped else "ellipsis",
            width=None if gives_way else widest,
            max_width=widest if gives_way else None,
        )
    for row in texts:
        table.add_row(*row)
    return table


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print such a table; without the blanks at the ends of lines."""
    console = make_console()
    shown = [index for index, column in enumerate(columns) if column.needs <= console.width]
    columns, rows = [columns[i] for i in shown], [[row[i] for i in shown] for row in rows]
    if not any(column.wrapped for column in columns):
        console.print(_lines(columns, rows, console.width), no_wrap=True, overflow="ellipsis")
    elif console.is_terminal:
        console.print(make_table(columns, rows))
    else:
        with console.capture() as printed:
            console.print(make_table(columns, rows))
        print("\n".join(line.rstrip() for line in printed.get().splitlines()))


def _lines(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], room: int) -> Text:
    """The table as one text. Rich's own takes 0.5 ms a row, too much for a status of 199 targets."""
    head: list[list[Text]] = [[Text(column.title, "bold") for column in columns]]
    texts = [
        [_text(cell, column) for cell, column in zip(row, columns, strict=True)] for row in rows
    ]
    texts = (head if any(column.title for column in columns) else []) + texts
    widths = [max(row[index].cell_len for row in texts) for index in range(len(columns))]
    shrink(widths, columns, room)
    for row in texts:
        for text, column, width in zip(row, columns, widths, strict=True):
            text.truncate(width, overflow="ellipsis")
            text.align("right" if column.right else "left", width)
        row[-1].rstrip()
    return Text("\n").join(Text("  ").join(row) for row in texts)


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


def _text(cell: Cell, column: Column) -> Text:
    text = cell if isinstance(cell, Text) else Text(shorten(printable(cell), LONGEST_CELL))
    text.no_wrap = not column.wrapped
    return text


def _escaped(line: str) -> str:
    """JSON's own escapes (`printable` has others): what was valid stays valid."""
    if printable(line) == line:
        return line
    return "".join(c if printable(c) == c else f"\\u{ord(c):04x}" for c in line)
