"""What an agent printed, line by line, from the session's own file on this machine."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import NamedTuple

from acd.core.one_session import LogLine
from acd.core.text import excerpt, printable
from acd.files.lines import Line, LineReader

_AT_MOST = 4 * 1024 * 1024
"""Bytes of a page, give or take a line: it opens at once and fits into memory, however large the file is."""
SHOWN = 64 * 1024
"""Most characters of a line."""


class Lines(NamedTuple):
    """Lines in the order of the file, and where the next ones begin; `more` when some are there already."""

    lines: list[LogLine]
    next_offset: int
    more: bool


class NoSuchPlace(ValueError):
    """No line begins at this offset."""


def read_lines(
    path: Path, offset: int, *, limit: int, final: bool, shown: int = SHOWN
) -> Lines | None:
    """Lines from `offset` on, which must be the beginning of one: the middle of a secret would not look like one.

    Args:
        path: the file; None is given when it is not there, or no file.
        offset: in bytes.
        limit: most lines to give.
        shown: most characters of each.
        final: nobody writes the file any more: a last line without its end counts as a line.

    Raises:
        NoSuchPlace: no line begins there.
        OSError: the file cannot be read.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    if offset and not _begins_line(path, offset):
        raise NoSuchPlace
    found = LineReader(path, offset).read(_AT_MOST, final=final)
    taken = found[:limit]
    after = taken[-1].offset + taken[-1].length if taken else offset
    lines = [shown_line(line, shown) for line in taken]
    return Lines(lines, after, more=len(found) > limit or after < status.st_size)


def _begins_line(path: Path, offset: int) -> bool:
    with path.open("rb", buffering=0) as file:
        file.seek(offset - 1)
        return file.read(1) == b"\n"


def shown_line(line: Line, shown: int = SHOWN) -> LogLine:
    """A line as it may be seen: secrets redacted, control characters escaped, at most so many characters of it."""
    if line.data is None:
        return LogLine(line.offset, line.length, "[a line too long to be shown]")
    text = printable(excerpt(line.data.decode("utf-8", "replace"), shown))
    return LogLine(line.offset, line.length, text)
