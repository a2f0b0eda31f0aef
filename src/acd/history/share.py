"""Imports some files, one after the other: read ahead in a thread, write batch after batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from acd.core.errors import DataRefused, UnreadableLine
from acd.core.text import printable
from acd.history.batch import Batches
from acd.history.done import Imported, Unread
from acd.history.looking import Found
from acd.history.reading import Part, Remembered, parts_of
from acd.history.rows import FilesMovedOn

_BATCH_REQUESTS = 6000
_BATCH_FILES = 400
_BATCH_BYTES = 96 * 1024 * 1024

Waiting = Sequence[tuple[Found, Remembered | None]]
"""Files to read, each with what is remembered of it."""


class Step(NamedTuple):
    """What was written since the last one: parts of so many files, of so many bytes, with so many requests."""

    files: int
    bytes: int
    requests: int


@dataclass
class Outcome:
    """What came of some files. `done` counts all but sessions and targets, which are those that are new.

    `touched`: targets that have sessions in them. `moved`: files in which another import was faster: look again.
    """

    done: Imported = field(default_factory=Imported)
    sessions: set[UUID] = field(default_factory=set)
    targets: set[UUID] = field(default_factory=set)
    touched: set[UUID] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)


@dataclass
class ShareImport:
    """Imports one share; `tell` is called after each batch that was written."""

    batches: Batches
    tell: Callable[[Step], None]
    outcome: Outcome = field(default_factory=Outcome)
    _unread: set[str] = field(default_factory=set)

    async def run(self, waiting: Waiting) -> Outcome:
        """Import them. What is written stays written, also when this is cancelled.

        Raises:
            DatabaseAway: what was not imported is imported by the next import.
        """
        with closing(_read(waiting)) as parts:
            reading = _Reading(parts, self._is_dropped, self._fail)
            batch = await _in_thread(reading.next_batch)
            while batch:
                ahead = asyncio.create_task(_in_thread(reading.next_batch))
                try:
                    await self._write(batch)
                except BaseException:
                    await asyncio.gather(ahead, return_exceptions=True)
                    raise
                self.tell(_step_of(batch))
                batch = await ahead  # of a file that was dropped meanwhile `_write` takes nothing; what follows it counts
        return self.outcome

    def _is_dropped(self, path: str) -> bool:
        return path in self.outcome.moved or path in self._unread

    def _fail(self, path: str, reason: str) -> None:
        self._unread.add(path)
        self.outcome.done.unread.append(Unread(path, reason))

    async def _write(self, parts: list[Part]) -> None:
        """Write parts; where PostgreSQL refuses something in them, halve them until the one file is alone."""
        parts = [part for part in parts if not self._is_dropped(part.path)]
        if not parts:
            return
        outcome = self.outcome
        try:
            written = await self.batches.write(parts)
        except FilesMovedOn:
            outcome.moved.update(part.path for part in parts)
            return
        except DataRefused as error:
            if len(parts) == 1:
                self._fail(parts[0].path, f"refused by the database: {error}")
                return
            middle = len(parts) // 2
            await self._write(parts[:middle])
            await self._write(parts[middle:])
            return
        self._count([part for part in parts if part.path not in written.left])
        outcome.done.left += len(written.left)
        outcome.sessions |= written.sessions
        outcome.targets |= written.targets
        outcome.touched |= written.touched

    def _count(self, parts: list[Part]) -> None:
        done = self.outcome.done
        done.lines += sum(part.lines for part in parts)
        done.left_out += sum(len(part.left_out) for part in parts)
        done.requests += sum(part.requests for part in parts)
        done.bytes += sum(_bytes_of(part) for part in parts)


@dataclass
class _Reading:
    """Gathers parts of files into batches, in a thread while others are written."""

    parts: Iterator[Part | Unread]
    is_dropped: Callable[[str], bool]
    fail: Callable[[str, str], None]

    def next_batch(self) -> list[Part]:
        """Some parts that fill a batch; empty when all is read."""
        batch: list[Part] = []
        requests = size = 0
        for part in self.parts:
            if isinstance(part, Unread):
                self.fail(part.path, part.reason)
                continue
            if self.is_dropped(part.path) or (part.known is None and not part.lines):
                continue
            batch.append(part)
            requests += part.requests
            size += _bytes_of(part)
            if requests >= _BATCH_REQUESTS or len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES:
                break
        return batch


def _read(waiting: Waiting) -> Generator[Part | Unread]:
    """The parts of files in their order, and the files that cannot be read."""
    for found, remembered in waiting:
        try:
            yield from parts_of(found, remembered)
        except (OSError, UnreadableLine) as error:
            yield Unread(str(found.file.path), printable(str(error)))


async def _in_thread(call: Callable[[], list[Part]]) -> list[Part]:
    """A call in a thread, which is waited for also when we are cancelled: it uses what is closed then."""
    task = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _step_of(parts: list[Part]) -> Step:
    return Step(
        len({part.path for part in parts}),
        sum(_bytes_of(part) for part in parts),
        sum(part.requests for part in parts),
    )


def _bytes_of(part: Part) -> int:
    return max(0, part.read_offset - part.from_offset)
