"""The journal: one fsynced JSON line a fact. What is in it is true even when the next thing we did was to die."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import msgspec

from acd.core.facts import Fact


class Stamp(TypedDict):
    """The two fields that every fact begins with."""

    at: datetime
    stream_offset: int


_DECODER: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


@dataclass(frozen=True)
class Journal:
    """A journal file; `stream` is the file whose size gives each fact its place among the agent's lines."""

    path: Path
    stream: Path | None

    def now(self) -> Stamp:
        """When and where a fact that is written now has its place."""
        return {"at": datetime.now(UTC), "stream_offset": self._stream_size()}

    def append(self, *facts: Fact) -> None:
        """Write facts, in one go, and wait until the disk has them.

        A line that an earlier process could not finish is closed first, so that it spoils only itself.

        Raises:
            OSError: the disk is full or failing. A failed fsync is never tried again: nobody knows what it wrote.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        created = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            lines = b"".join(msgspec.json.encode(fact) + b"\n" for fact in facts)
            _write_all(descriptor, _line_break_if_torn(descriptor) + lines)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if created:
            sync_folder(self.path.parent)

    def facts(self) -> Iterator[Fact]:
        """The facts in order. Lines that cannot be read (torn by a crash) are passed over here; the ledger counts them."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        for line in data.split(b"\n"):
            if line:
                try:
                    yield decode_fact(line)
                except msgspec.MsgspecError:
                    continue

    def _stream_size(self) -> int:
        try:
            return self.stream.stat().st_size if self.stream else 0
        except FileNotFoundError:
            return 0


def decode_fact(line: bytes) -> Fact:
    """The fact of one line.

    Raises:
        msgspec.MsgspecError: the line is no fact.
    """
    try:
        return _DECODER.decode(line)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None


def sync_folder(folder: Path) -> None:
    """Make a new file's name itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line_break_if_torn(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _write_all(descriptor: int, data: bytes) -> None:
    """`os.write` may be short (seen at a full disk)."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
