"""Reading in a process beside the one that writes: on two processors the two go on at once.

The process is this module (`python -m acd.history.beside`): it is told on stdin which files to read, and writes what they
come to on stdout, each with its length before it. It waits while nobody takes what it wrote, and ends when nobody will.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from acd.agents.histories import load_history
from acd.agents.history import HistoryFile
from acd.core.errors import AcdError, UnreadableLine
from acd.core.text import printable
from acd.history.done import Unread
from acd.history.looking import Found, Known
from acd.history.reading import Part, Remembered, parts_of

_LENGTH = 4
_MANY_BYTES = 64 * 1024 * 1024
"""From so many bytes on a process more pays: it takes a fifth of a second to start."""


class ReadingFailed(AcdError):
    """The process that reads ended before it had read everything."""


class _Job(msgspec.Struct, array_like=True):
    """A file to read, by the name of its history."""

    history: str
    file: HistoryFile
    inode: int
    size: int
    mtime_ns: int
    known: Known | None
    remembered: Remembered | None


class _News(msgspec.Struct, array_like=True):
    """A part, or a file that could not be read; neither: that was all."""

    part: Part | None = None
    unread: Unread | None = None


def read(
    waiting: Sequence[tuple[Found, Remembered | None]], *, many_bytes: int = _MANY_BYTES
) -> Generator[Part | Unread]:
    """The parts of files in their order, and the files that cannot be read. Close it when it is not read to its end.

    Where there is much to read, and a processor to read it, a process of its own does.

    Raises:
        ReadingFailed: it ended too early.
    """
    size = sum(found.waiting for found, _ in waiting)
    if size < many_bytes or (os.cpu_count() or 1) < 2 or not _can_be_sent(waiting):
        return _read_here(waiting)
    return _read_beside(waiting)


def _read_here(waiting: Sequence[tuple[Found, Remembered | None]]) -> Generator[Part | Unread]:
    for found, remembered in waiting:
        try:
            yield from parts_of(found, remembered)
        except (OSError, UnreadableLine) as error:
            yield Unread(str(found.file.path), printable(str(error)))


def _can_be_sent(waiting: Sequence[tuple[Found, Remembered | None]]) -> bool:
    """Names of files are bytes; those that are no text stay with us."""
    try:
        for found, _ in waiting:
            str(found.file.path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_beside(waiting: Sequence[tuple[Found, Remembered | None]]) -> Generator[Part | Unread]:
    jobs = [
        _Job(one.history.name, one.file, one.inode, one.size, one.mtime_ns, one.known, remembered)
        for one, remembered in waiting
    ]
    decode = msgspec.msgpack.Decoder(_News, dec_hook=_to_path).decode
    with tempfile.TemporaryFile() as orders:
        orders.write(msgspec.msgpack.encode(jobs, enc_hook=_of_path))
        orders.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=orders,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal is for us
        )
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - asked for
            while frame := _next_frame(process.stdout):
                news = decode(frame)
                if news.part is not None:
                    yield news.part
                elif news.unread is not None:
                    yield news.unread
                else:
                    return
            raise ReadingFailed(f"the process that reads ended with {process.wait()}")
        finally:
            process.kill()


def _next_frame(pipe: IO[bytes]) -> bytes:
    """The next message; empty where the other side has ended."""
    length = int.from_bytes(pipe.read(_LENGTH), "big")
    frame = pipe.read(length)
    return frame if len(frame) == length else b""


def _of_path(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def _to_path(kind: type, value: object) -> object:
    return kind(value)


def main() -> None:
    """Read what stdin names."""
    decoder = msgspec.msgpack.Decoder(list[_Job], dec_hook=_to_path)
    jobs = decoder.decode(sys.stdin.buffer.read())
    histories = {name: load_history(name) for name in {job.history for job in jobs}}
    waiting = [
        (
            Found(histories[job.history], job.file, job.inode, job.size, job.mtime_ns, job.known),
            job.remembered,
        )
        for job in jobs
    ]
    out, encode = sys.stdout.buffer, msgspec.msgpack.Encoder().encode
    for one in _read_here(waiting):
        _put(out, encode(_News(part=one) if isinstance(one, Part) else _News(unread=one)))
    _put(out, encode(_News()))
    out.flush()


def _put(out: IO[bytes], frame: bytes) -> None:
    out.write(len(frame).to_bytes(_LENGTH, "big"))
    out.write(frame)
    out.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(0)  # nobody reads any more; there is nothing to flush
