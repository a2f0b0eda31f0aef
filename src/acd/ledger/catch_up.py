"""From files to rows: read on from the remembered offsets, fold, write. One path for everything that is recorded.

Live recording, catching up after an outage, recovery after a crash and sessions of other programs all come here.
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from acd.agents.protocol import Adapter
from acd.agents.registry import load_adapter
from acd.core.errors import ConfigError, DataRefused
from acd.core.facts import Started, TargetSeen
from acd.core.text import printable
from acd.database.connection import Database
from acd.files.journal import Journal
from acd.files.lines import LineReader
from acd.ledger.fold import JOURNAL, STREAM, FileKind, Fold, SourceLine
from acd.ledger.price import PriceList
from acd.ledger.rows import NO_SESSION, Batch, FileRow
from acd.ledger.write import MovedOn, Owner, Written, write_batch

logger = logging.getLogger("acd.ledger")

_HEAD = 4096
_BATCH_BYTES = 4 * 1024 * 1024


@dataclass
class _OpenFile:
    """A file being read. `recorded` is where the database says that we are; the reader is ahead while a batch is under way."""

    name: str
    kind: FileKind
    reader: LineReader
    recorded: int
    lines_read: int


@dataclass
class Source:
    """The files of one session (or the journal of one target) on their way into the database.

    Keeps its place between calls, so that a call with nothing new costs a few `stat`s. Made by `open_source`.
    """

    folder: Path
    database: Database
    prices: PriceList
    owner: Owner
    adapter: Adapter | None
    has_stream: bool
    clock: datetime
    ended: bool = False
    _files: dict[str, _OpenFile] = field(default_factory=dict)

    async def catch_up(self) -> None:
        """Record everything that the files hold now.

        Raises:
            DatabaseAway: what was not recorded is recorded by the next call.
        """
        while await self._step():
            pass

    async def _step(self) -> bool:
        """Read, fold and write one batch; whether there may be more."""
        try:
            await self._open_files()
            lines = self._read()
            if not lines:
                return False
            await self._write(lines)
        except MovedOn:
            self._files.clear()
        except BaseException:
            # The outcome is in doubt: ask the database where the files stand before reading on.
            self._files.clear()
            raise
        return True

    # ---- reading --------------------------------------------------------------------------------------------

    async def _open_files(self) -> None:
        names = _names(self.folder)
        if all(name in self._files for name in names):
            return
        ids = {"target_id": self.owner.target_id, "session_id": self.owner.session_id}
        rows = await self.database.fetch_all("ledger.files_of", host=self.owner.host, **ids)
        session = await self.database.fetch_one("ledger.session_state", **ids)
        if session is not None:
            self.clock = session["last_event_at"] or session["started_at"]
            self.ended = session["status"] != "running"
        known = {row["name"]: row for row in rows}
        for name, kind in names.items():
            if name not in self._files:
                self._files[name] = self._open(name, kind, known.get(name))

    def _open(self, name: str, kind: FileKind, known: dict[str, Any] | None) -> _OpenFile:
        path = self.folder / name
        if known is None:
            return _OpenFile(name, kind, LineReader(path), 0, 0)
        goes_on = _goes_on(path, known)
        reader = LineReader(path, known["read_offset"] if goes_on else 0)
        return _OpenFile(
            name, kind, reader, known["read_offset"], known["lines_read"] if goes_on else 0
        )

    def _read(self) -> list[SourceLine]:
        lines: list[SourceLine] = []
        room = _BATCH_BYTES
        for file in self._files.values():
            if room <= 0:
                break
            for line in file.reader.read(room, final=self.ended and file.kind == "stream"):
                lines.append(SourceLine(file.name, file.kind, line, file.lines_read))
                file.lines_read += 1
                room -= line.length
        return lines

    # ---- writing --------------------------------------------------------------------------------------------

    async def _write(self, lines: list[SourceLine]) -> None:
        """Write the batch; where PostgreSQL refuses something in it, halve it until the one bad line is alone."""
        fold = self._new_fold()
        for line in lines:
            fold.add(line)
        try:
            await self._write_batch(fold.batch, lines)
        except DataRefused as error:
            if len(lines) > 1:
                middle = len(lines) // 2
                await self._write(lines[:middle])
                await self._write(lines[middle:])
                return
            alone = self._new_fold()
            alone.leave_out(lines[0], f"refused by the database: {error}")
            await self._write_batch(alone.batch, lines)

    def _new_fold(self) -> Fold:
        return Fold(
            owner_id=self.owner.session or self.owner.target_id,
            agent=self.adapter,
            prices=self.prices,
            clock=self.clock,
            has_stream=self.has_stream,
        )

    async def _write_batch(self, batch: Batch, lines: list[SourceLine]) -> None:
        batch.files = self._progress(lines, batch)
        written = await write_batch(self.database, self.owner, batch)
        self.clock = batch.last_at or self.clock
        for row in batch.files:
            self._files[row.name].recorded = row.read_offset
        if self.owner.session is not None:
            self._tell(written)

    def _progress(self, lines: list[SourceLine], batch: Batch) -> list[FileRow]:
        """The new state of each file that the lines came from."""
        ends = {source.name: source.line.offset + source.line.length for source in lines}
        rows = []
        for name, end in ends.items():
            stat, head = _look(self.folder / name, min(_HEAD, end))
            rows.append(
                FileRow(
                    name=name,
                    inode=stat.st_ino,
                    size=stat.st_size,
                    head_sha256=hashlib.sha256(head).hexdigest(),
                    head_length=len(head),
                    from_offset=self._files[name].recorded,
                    read_offset=end,
                    lines_read=sum(source.name == name for source in lines),
                    lines_left_out=sum(row.name == name for row in batch.left_out),
                )
            )
        return rows

    def _tell(self, written: Written) -> None:
        """The two lines that the mission names."""
        if written.started:
            logger.info("DB session started: %s", self.owner.session_id)
        if written.ended is not None:
            self.ended = True
            completed = written.ended.features_completed or 0
            logger.info("DB session ended: %s features completed", completed)


def open_source(
    folder: Path,
    database: Database,
    prices: PriceList,
    *,
    adapters: Callable[[str], Adapter] = load_adapter,
    host: str | None = None,
) -> Source | None:
    """The source in a session's folder, or in the folder of a target's journal; None while it holds no first fact."""
    host = host or socket.gethostname()
    for fact in Journal(folder / JOURNAL, None).facts():
        if isinstance(fact, Started):
            owner = Owner(fact.target.id, fact.session_id, host)
            adapter = _adapter(fact, adapters)
            has_stream = fact.origin == "harness"
            return Source(folder, database, prices, owner, adapter, has_stream, fact.at)
        if isinstance(fact, TargetSeen):
            owner = Owner(fact.target.id, NO_SESSION, host)
            return Source(folder, database, prices, owner, None, False, fact.at)
    return None


def _adapter(started: Started, adapters: Callable[[str], Adapter]) -> Adapter | None:
    if started.origin == "api":
        return None
    try:
        return adapters(started.agent)
    except ConfigError as error:
        logger.warning("%s; lines of session %s are counted, not read", error, started.session_id)
        return None


def _names(folder: Path) -> dict[str, FileKind]:
    """The files of a folder in the order in which they are read: the journal first, it makes the session's row."""
    names: dict[str, FileKind] = {JOURNAL: "journal", STREAM: "stream"}
    for path in sorted((folder / "transcripts").glob("*.jsonl")):
        names[f"transcripts/{path.name}"] = "transcript"
    return names


def _goes_on(path: Path, known: dict[str, Any]) -> bool:
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


def _look(path: Path, length: int) -> tuple[os.stat_result, bytes]:
    with path.open("rb") as file:
        return os.fstat(file.fileno()), file.read(length)
