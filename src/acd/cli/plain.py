"""Tables and sentences as `output` prints them, without rich, which takes 100 ms to load: for the plainest of them only.

Everything here gives the same bytes as `output` (a test holds it), or raises NotQuick: text beyond ASCII, lines that do not
fit, terminals that want something special.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from acd.cli.columns import ANY_WIDTH, LONGEST_CELL, Column, shrink
from acd.core.errors import NotQuick

# What else rich asks the environment for: then it decides.
_SPECIAL = ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "JPY_PARENT_PID")
_DUMB = frozenset({"dumb", "unknown"})
_NARROWEST = 20


class Paper(NamedTuple):
    """What is printed on: how many columns it has, and whether titles can be bold."""

    width: int
    bold: bool


def paper(environ: Mapping[str, str]) -> Paper:
    """Of stdout.

    Raises:
        NotQuick: it is not one of the usual.
    """
    out = sys.stdout
    bold = out.isatty()
    if (out.encoding or "").lower() != "utf-8" or any(name in environ for name in _SPECIAL):
        raise NotQuick("a special terminal")
    if bold and environ.get("TERM", "").lower() in _DUMB:
        raise NotQuick("a dumb terminal")
    columns = environ.get("COLUMNS")
    if columns is not None:
        if not (columns.isascii() and columns.isdigit()):
            raise NotQuick("an odd width")
        width = int(columns)
    else:
        width = _width() if bold else ANY_WIDTH
    if width < _NARROWEST:
        raise NotQuick("a narrow terminal")
    return Paper(width, bold)


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], on: Paper) -> str:
    """As `output.show_table`.

    Raises:
        NotQuick: it needs more than this.
    """
    shown = [index for index, column in enumerate(columns) if column.needs <= on.width]
    columns, rows = [columns[i] for i in shown], [[row[i] for i in shown] for row in rows]
    for row in rows:
        for cell in row:
            if not (cell.isascii() and cell.isprintable() and len(cell) <= LONGEST_CELL):
                raise NotQuick("not plain")
    titles = [column.title for column in columns]
    widths = [max(map(len, cells)) for cells in zip(titles, *rows, strict=True)]
    shrink(widths, columns, on.width)
    if sum(widths) + 2 * (len(widths) - 1) > on.width:
        raise NotQuick("lines that do not fit")
    head = [
        f"\x1b[1m{cell}\x1b[0m" if on.bold else cell for cell in _cells(titles, columns, widths)
    ]
    lines = [head, *(_cells(row, columns, widths) for row in rows)]
    return "".join("  ".join(line) + "\n" for line in lines)


def sentence(text: str, on: Paper, *, after_blank: bool = False) -> str:
    """As `output.say`.

    Raises:
        NotQuick: it would have to be wrapped or made printable.
    """
    if not (text.isascii() and text.isprintable() and len(text) <= on.width):
        raise NotQuick("a sentence that does not fit")
    return ("\n" if after_blank else "") + text + "\n"


def put(text: str) -> None:
    """Print it. A reader that has gone ends the command with status 1, as rich does."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _cells(row: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> list[str]:
    cells = [
        _cut(cell, width).rjust(width) if column.right else _cut(cell, width).ljust(width)
        for cell, column, width in zip(row, columns, widths, strict=True)
    ]
    cells[-1] = cells[-1].rstrip()
    return cells


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: width - 1] + "…"


def _width() -> int:
    """Of the terminal, from whichever of the three streams is one, as rich looks."""
    for descriptor in (0, 1, 2):
        try:
            return os.get_terminal_size(descriptor).columns
        except OSError:
            continue
    return 0
