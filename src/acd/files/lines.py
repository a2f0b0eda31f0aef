"""Reading the whole lines of a growing file from an offset, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

CHUNK = 256 * 1024
LONGEST_LINE = 7 * 1024 * 1024
"""Longer lines are left out with their length. The longest that agents write hold a picture (5 MB, in base64) and no
usage; a hostile one costs up to 25 times its size to decode."""

_MOST_LINES = 4096
"""Lines of one reading: a chunk of empty lines alone would else become a quarter of a million objects."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line without its end. `data` is None when it is longer than `LONGEST_LINE`; `length` includes the line end."""

    offset: int
    length: int
    data: bytes | None


@dataclass
class LineReader:
    """Reads a file from `offset`, which is always the start of the first line that was not handed out yet.

    What is known of an unfinished line is kept, so that a line of a gigabyte is scanned once and not at every look.
    """

    path: Path
    offset: int = 0
    _pending: bytearray = field(default_factory=bytearray)
    _scanned: int = 0

    def read(self, limit: int = 16 * CHUNK, *, final: bool = False) -> list[Line]:
        """The whole lines among about the next `limit` bytes; empty only when there is no new one.

        Args:
            limit: stop after this many bytes and at least one line, so that one batch stays small. Many short lines
                stop it sooner.
            final: nobody writes the file any more; a last line without its end counts as a line.

        Raises:
            OSError: the file cannot be read. A file that does not exist has no lines.
        """
        lines: list[Line] = []
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self.offset + self._scanned)
                taken = 0
                while (taken < limit or not lines) and len(lines) < _MOST_LINES:
                    chunk = file.read(CHUNK)
                    if not chunk:
                        if final and self._scanned:
                            self._take(b"\n", lines, ended=False)
                        break
                    taken += len(chunk)
                    self._take(chunk, lines)
        except FileNotFoundError:
            return []
        return lines

    def _take(self, chunk: bytes, lines: list[Line], *, ended: bool = True) -> None:
        start = self._end_pending(chunk, lines, ended=ended) if self._scanned else 0
        offset, room, size = self.offset, _MOST_LINES - len(lines), len(chunk)
        find, append = chunk.find, lines.append
        while room and (end := find(b"\n", start)) >= 0:
            length = end + 1 - start
            append(Line(offset, length, chunk[start:end] if length <= LONGEST_LINE + 1 else None))
            offset += length
            start = end + 1
            room -= 1
        self.offset = offset
        if room and start < size:  # else the rest of the chunk is read again
            self._keep(chunk[start:])
            self._scanned = size - start

    def _end_pending(self, chunk: bytes, lines: list[Line], *, ended: bool) -> int:
        """Take in what a chunk holds of the line that was begun; where in the chunk the next one begins."""
        end = chunk.find(b"\n")
        rest = chunk if end < 0 else chunk[:end]
        self._keep(rest)
        self._scanned += len(rest)
        if end < 0:
            return len(chunk)
        length = self._scanned + (1 if ended else 0)
        data = bytes(self._pending) if self._scanned <= LONGEST_LINE else None
        lines.append(Line(self.offset, length, data))
        self.offset += length
        self._pending.clear()
        self._scanned = 0
        return end + 1

    def _keep(self, part: bytes) -> None:
        if self._scanned + len(part) <= LONGEST_LINE:
            self._pending += part
        else:
            self._pending.clear()
