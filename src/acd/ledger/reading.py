"""The files of one session (or the journal of one target) as the ledger reads them: from remembered offsets, line by line."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from acd.core.text import printable
from acd.files.lines import Line, LineReader
from acd.ledger.rows import FileRow

logger = logging.getLogger("acd.ledger")

FileKind = Literal["journal", "stream", "transcript"]

JOURNAL = "journal.jsonl"
STREAM = "stream.jsonl"

_HEAD = 4096


class SourceLine(msgspec.Struct, frozen=True, gc=False):
    """A line and the file it stands in: `name` is relative to the session's folder, `number` counts its lines from 0."""

    name: str
    kind: FileKind
    line: Line
    number: int


class Stretch(msgspec.Struct):
    """How far a part goes in one file: the end of its last line there, and how many lines."""

    end: int
    lines: int = 0


@dataclass
class _OpenFile:
    """A file being read. `recorded` is where the database says that we are; the reader is ahead while a batch is under way."""

    name: str
    kind: FileKind
    reader: LineReader
    recorded: int
    lines_read: int


@dataclass
class SessionFiles:
    """The files of a folder, each with its place."""

    folder: Path
    _files: dict[str, _OpenFile] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any file is open."""
        return bool(self._files)

    def forget(self) -> None:
        """Close all: the next to read asks the database again where they stand."""
        self._files.clear()

    def unopened(self) -> dict[str, FileKind]:
        """Files that are there and not open yet, in the order in which they are read."""
        names = _names(self.folder)
        return {name: kind for name, kind in names.items() if name not in self._files}

    def open(self, names: Mapping[str, FileKind], known: Iterable[Mapping[str, Any]]) -> None:
        """Open files where the database (`known`: rows of `ledger_files`) says that they were read to.

        Raises:
            OSError: one cannot be read.
        """
        known_by_name = {row["name"]: row for row in known}
        for name, kind in names.items():
            self._files[name] = self._open(name, kind, known_by_name.get(name))

    def _open(self, name: str, kind: FileKind, known: Mapping[str, Any] | None) -> _OpenFile:
        path = self.folder / name
        if known is None:
            return _OpenFile(name, kind, LineReader(path), 0, 0)
        goes_on = _goes_on(path, known)
        reader = LineReader(path, known["read_offset"] if goes_on else 0)
        return _OpenFile(
            name, kind, reader, known["read_offset"], known["lines_read"] if goes_on else 0
        )

    def sizes(self) -> dict[str, int]:
        """How long each open file is now."""
        return {name: _size(self.folder / name) for name in self._files}

    def read(self, sizes: dict[str, int], *, ended: bool) -> list[SourceLine]:
        """Some lines of the file that is least far read, by share: the journal first, then all evenly.

        So the lines of stream and transcript that tell of one request mostly meet in one part.

        Args:
            sizes: of each file, without those found to hold no whole line; adds to them.
            ended: whether the agent has ended, so that a last line without its end is one.

        Raises:
            OSError: a file cannot be read.
        """
        while waiting := [f for f in self._files.values() if sizes[f.name] > f.reader.offset]:
            file = min(
                waiting, key=lambda f: (f.kind != "journal", f.reader.offset / sizes[f.name])
            )
            lines = file.reader.read(1, final=ended and file.kind == "stream")
            if lines:
                first = file.lines_read
                file.lines_read += len(lines)
                return [
                    SourceLine(file.name, file.kind, line, number)
                    for number, line in enumerate(lines, first)
                ]
            sizes[file.name] = 0
        return []

    def progress(self, name: str, stretch: Stretch, left_out: int) -> FileRow:
        """The new state of a file that a part read, with how many of its lines the part had to leave out."""
        stat, head = _look(self.folder / name, min(_HEAD, stretch.end))
        return FileRow(
            name=name,
            inode=stat.st_ino,
            size=stat.st_size,
            head_sha256=hashlib.sha256(head).hexdigest(),
            head_length=len(head),
            from_offset=self._files[name].recorded,
            read_offset=stretch.end,
            lines_read=stretch.lines,
            lines_left_out=left_out,
        )

    def recorded(self, rows: Iterable[FileRow]) -> None:
        """The database knows the lines so far."""
        for row in rows:
            self._files[row.name].recorded = row.read_offset


def _names(folder: Path) -> dict[str, FileKind]:
    """The files of a folder in the order in which they are read: the journal first, it makes the session's row."""
    names: dict[str, FileKind] = {JOURNAL: "journal", STREAM: "stream"}
    for path in sorted((folder / "transcripts").glob("*.jsonl")):
        names[f"transcripts/{path.name}"] = "transcript"
    return names


def _goes_on(path: Path, known: Mapping[str, Any]) -> bool:
    """Whether a file is the one that was read before, perhaps longer now.

    Its beginning decides, not its inode: a copy that was made anew is the same file with another inode.
    """
    try:
        stat, head = _look(path, known["head_length"])
    except FileNotFoundError:
        return True
    same = hashlib.sha256(head).hexdigest() == known["head_sha256"]
    if same and stat.st_size >= known["read_offset"]:
        return True
    logger.warning("%s was rewritten: it is read again from its beginning", printable(str(path)))
    return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _look(path: Path, length: int) -> tuple[os.stat_result, bytes]:
    with path.open("rb") as file:
        return os.fstat(file.fileno()), file.read(length)
