"""Imports what is new in agents' histories: look, read ahead in a thread, write batch after batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from uuid import UUID

from acd.core.errors import DataRefused
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.history.batch import Batches
from acd.history.belonging import Belonging
from acd.history.beside import read
from acd.history.commits import link_commits
from acd.history.done import Imported, Progress, Unread
from acd.history.looking import Found, Roots, find
from acd.history.placing import Places
from acd.history.reading import Part, Remembered
from acd.history.rows import FilesMovedOn
from acd.history.seen import seen_of
from acd.ledger.price import PriceList

_BATCH_REQUESTS = 6000
_BATCH_FILES = 400
_BATCH_BYTES = 96 * 1024 * 1024
_ROUNDS = 20


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
            size += max(0, part.read_offset - part.from_offset)
            if requests >= _BATCH_REQUESTS or len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES:
                break
        return batch


@dataclass
class Importer:
    """Imports histories into one database, once."""

    database: Database
    settings: Settings
    prices: PriceList = field(default_factory=PriceList)
    tell: Callable[[Progress], None] = lambda _: None
    done: Imported = field(default_factory=Imported)
    _targets: set[UUID] = field(default_factory=set)
    _moved: set[str] = field(default_factory=set)
    _unread: set[str] = field(default_factory=set)

    async def run(self, roots: Roots) -> Imported:
        """Import all that is new. What is written stays written, also when this is cancelled.

        Raises:
            DatabaseAway: what was not imported is imported by the next call.
        """
        for _ in range(_ROUNDS):
            found = await find(self.database, self.settings.host_name, roots)
            changed = [f for f in found if f.changed and str(f.file.path) not in self._unread]
            self.done.files = len(found)
            self._moved.clear()
            if changed:
                await self._import(changed)
            if not self._moved:
                break
        await link_commits(self.database, self._targets)
        return self.done

    async def _import(self, changed: list[Found]) -> None:
        """Import some files. Those in which another import was faster are `_moved` then: one has to look again."""
        progress = Progress(files=len(changed), bytes=sum(one.waiting for one in changed))
        self.tell(progress)
        batches = await self._batches()
        with closing(read(await self._with_remembered(changed))) as parts:
            await self._write_all(batches, _Reading(parts, self._is_dropped, self._fail), progress)
        self.done.changed += len(changed)

    async def _write_all(self, batches: Batches, reading: _Reading, progress: Progress) -> None:
        """Write batch after batch; while PostgreSQL works on one, the next is read."""
        parts = await _in_thread(reading.next_batch)
        while parts:
            ahead = asyncio.create_task(_in_thread(reading.next_batch))
            try:
                await self._write(batches, parts)
            except BaseException:
                await asyncio.gather(ahead, return_exceptions=True)
                raise
            _advance(progress, parts)
            self.tell(progress)
            parts = [part for part in await ahead if not self._is_dropped(part.path)]

    def _is_dropped(self, path: str) -> bool:
        return path in self._moved or path in self._unread

    def _fail(self, path: str, reason: str) -> None:
        self._unread.add(path)
        self.done.unread.append(Unread(path, reason))

    async def _write(self, batches: Batches, parts: list[Part]) -> None:
        """Write parts; where PostgreSQL refuses something in them, halve them until the one file is alone."""
        parts = [part for part in parts if not self._is_dropped(part.path)]
        if not parts:
            return
        try:
            written = await batches.write(parts)
        except FilesMovedOn:
            self._moved.update(part.path for part in parts)
            return
        except DataRefused as error:
            if len(parts) == 1:
                self._fail(parts[0].path, f"refused by the database: {error}")
                return
            middle = len(parts) // 2
            await self._write(batches, parts[:middle])
            await self._write(batches, parts[middle:])
            return
        self._count([part for part in parts if part.path not in written.left])
        self.done.sessions += len(written.sessions)
        self.done.targets += len(written.targets)
        self.done.left += len(written.left)
        self._targets |= written.touched

    def _count(self, parts: list[Part]) -> None:
        done = self.done
        done.lines += sum(part.lines for part in parts)
        done.left_out += sum(len(part.left_out) for part in parts)
        done.requests += sum(part.requests for part in parts)
        done.bytes += sum(max(0, part.read_offset - part.from_offset) for part in parts)

    async def _batches(self) -> Batches:
        host = self.settings.host_name
        rows = await self.database.fetch_all("history.targets_by_path", host=host)
        targets: list[tuple[UUID, str]] = [(row["id"], row["path"]) for row in rows]
        places = await asyncio.to_thread(Places, targets)
        belonging = Belonging(self.database, self.settings.sessions_dir, places)
        billing = None if self.settings.billing == "auto" else self.settings.billing
        return Batches(self.database, host, belonging, self.prices, billing)

    async def _with_remembered(self, changed: list[Found]) -> list[tuple[Found, Remembered | None]]:
        """In the order in which they are read."""
        names = [str(one.file.path) for one in changed if one.known is not None]
        remembered: dict[str, Remembered] = {}
        if names:
            rows = await self.database.fetch_all(
                "history.remembered", host=self.settings.host_name, names=names
            )
            for row in rows:
                remembered[row["name"]] = Remembered(
                    row["head_sha256"],
                    row["head_length"],
                    row["tail_sha256"] or "",
                    seen_of(row["seen"] or {}),
                )
        return [(one, remembered.get(str(one.file.path))) for one in _in_order(changed)]


async def _in_thread(call: Callable[[], list[Part]]) -> list[Part]:
    """A call in a thread, which is waited for also when we are cancelled: it uses what is closed then."""
    task = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _in_order(changed: Sequence[Found]) -> list[Found]:
    """A session's files together, its main one first, sessions of one folder together; those of unknown sessions last."""
    folders: dict[str | None, str] = {}
    for one in changed:
        file = one.file
        folder = str(file.path.parent)
        if not file.subagent or file.agent_session_id not in folders:
            folders[file.agent_session_id] = folder

    def place(found: Found) -> tuple[bool, str, str, bool, str]:
        file = found.file
        session = file.agent_session_id
        return (session is None, folders[session], session or "", file.subagent, str(file.path))

    return sorted(changed, key=place)


def _advance(progress: Progress, parts: list[Part]) -> None:
    progress.files_done += len({part.path for part in parts})
    progress.bytes_done += sum(max(0, part.read_offset - part.from_offset) for part in parts)
    progress.requests += sum(part.requests for part in parts)
