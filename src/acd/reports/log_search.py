"""Where something stands in what an agent printed: a session's own file is searched, part by part.

What is found is shown as `reports.logs` shows lines, and is looked for there too: a secret that the page does not show
cannot be found either.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple

from acd.core.one_session import LogLine
from acd.files.lines import CHUNK, Line, LineReader
from acd.reports.logs import shown_line

_AT_ONCE = 96 * 1024 * 1024
"""Bytes that one search looks through: some tenths of a second."""
_PART = 1024 * 1024
_MOST_LOOKED_AT = 2000
"""Lines that one search reads: of most nothing is shown where the words stand in what is redacted or cut."""


class Found(NamedTuple):
    """Lines that hold what is looked for; the search goes on at `next_offset`, or is over where that is None."""

    lines: list[LogLine]
    next_offset: int | None
    size: int


def search_lines(
    path: Path, offset: int, words: str, *, limit: int, shown: int, final: bool
) -> Found | None:
    """Lines from the one that begins at `offset` on that hold `words`, in upper or lower case.

    Args:
        path: the file; None is given when it is not there, or no file.
        offset: in bytes; one in the middle of a line goes on with the next.
        words: what is looked for, at least one character.
        limit: most lines to give.
        shown: most characters of each.
        final: nobody writes the file any more: a last line without its end counts as a line.

    Raises:
        OSError: the file cannot be read.
    """
    size = size_of(path)
    if size is None:
        return None
    needle, lines = words.lower(), list[LogLine]()
    place = line_from(path, offset)
    end = size if size <= place + _AT_ONCE else line_from(path, place + _AT_ONCE)
    looked_at = 0
    with path.open("rb", buffering=0) as file:
        while len(lines) < limit and looked_at < _MOST_LOOKED_AT:
            looked_at += 1
            hit = _next_hit(file, place, end, words)
            if hit is None:
                return Found(lines, end if end < size else None, size)
            line = _line_around(path, file, place, hit, final)
            if line is None:  # its end is not written yet
                return Found(lines, None, size)
            place = line.offset + line.length
            if needle in shown_line(line).text.lower():
                lines.append(shown_line(line, shown))
    return Found(lines, place if place < size else None, size)


def size_of(path: Path) -> int | None:
    """Bytes of a file; None when it is not there, or no file."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def line_from(path: Path, offset: int) -> int:
    """Where the first line begins at `offset` or behind it; the file's end where none does."""
    if offset <= 0:
        return 0
    with path.open("rb", buffering=0) as file:
        file.seek(offset - 1)
        place = offset - 1
        while part := file.read(CHUNK):
            if (end := part.find(b"\n")) >= 0:
                return place + end + 1
            place += len(part)
        return place


def line_before(path: Path, offset: int, lines: int) -> int:
    """Where the line begins that stands `lines` lines before the one at `offset`; 0 where there are not so many.

    Looks back 8 MB at most.
    """
    with path.open("rb", buffering=0) as file:
        place, left = offset, lines + 1  # the first one is the end of the line before
        while place > max(0, offset - 32 * CHUNK):
            begin = max(0, place - CHUNK)
            file.seek(begin)
            part = file.read(place - begin)
            at = len(part)
            while (at := part.rfind(b"\n", 0, at)) >= 0:
                left -= 1
                if not left:
                    return begin + at + 1
            place = begin
    return 0 if place == 0 else line_from(path, place)


def _next_hit(file: BinaryIO, place: int, end: int, words: str) -> int | None:
    """Where the next line may hold the words. Characters beyond ASCII are compared as they are written."""
    sought = words.encode("utf-8", "replace").lower()
    overlap = len(sought) - 1
    while place < end:
        file.seek(place)
        part = file.read(min(_PART, end - place) + overlap)
        at = part.lower().find(sought)
        if at >= 0:
            return place + at
        if len(part) <= overlap:
            return None
        place += len(part) - overlap
    return None


def _line_around(path: Path, file: BinaryIO, least: int, hit: int, final: bool) -> Line | None:
    """The line in which a place is; `least` is the beginning of a line before it."""
    place = hit
    while place > least:
        begin = max(least, place - CHUNK)
        file.seek(begin)
        at = file.read(place - begin).rfind(b"\n")
        if at >= 0:
            least = begin + at + 1
            break
        place = begin
    found = LineReader(path, least).read(1, final=final)
    return found[0] if found else None
