"""From files to rows: read on from the remembered offsets, fold, write. One path for everything that is recorded.

Live recording, catching up after an outage, recovery after a crash and sessions of other programs all come here.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from pathlib import Path

from acd.agents.protocol import Adapter
from acd.agents.registry import load_adapter
from acd.core.errors import ConfigError, DataRefused
from acd.core.facts import Started, TargetSeen
from acd.database.connection import Database
from acd.files.journal import Journal
from acd.ledger import overrides
from acd.ledger.fold import Fold
from acd.ledger.owner import MovedOn, Owner, Quarantined
from acd.ledger.price import PriceList
from acd.ledger.reading import JOURNAL, SessionFiles, SourceLine, Stretch
from acd.ledger.rows import NO_SESSION
from acd.ledger.write import Written, write_batch

logger = logging.getLogger("acd.ledger")

# A part ends at so many rows or bytes: few statements and little memory, also when every line is short.
_PART_ROWS = 6000
_PART_BYTES = 32 * 1024 * 1024
_CAREFUL_BYTES = 1024 * 1024
_PAUSE_AFTER_S = 0.004

# What is in quarantine is tried again after this long at the earliest, however often it is rung for.
_QUARANTINE_S = 30.0


class _Refused(Exception):
    """PostgreSQL refused something in a part whose lines are no longer at hand."""


@dataclass
class _Part:
    """What is written at a time: what a number of lines amounts to, and where they stand.

    `clock` is that before the first of them. `lines` are kept only where PostgreSQL has just refused something.
    """

    clock: datetime
    fold: Fold
    stretches: dict[str, Stretch] = field(default_factory=dict)
    lines: list[SourceLine] = field(default_factory=list)
    size: int = 0

    def add(self, source: SourceLine, *, keep: bool) -> None:
        """Fold a line in."""
        self.fold.add(source)
        line = source.line
        stretch = self.stretches.get(source.name)
        if stretch is None:
            stretch = self.stretches[source.name] = Stretch(0)
        stretch.end = line.offset + line.length
        stretch.lines += 1
        self.size += line.length
        if keep:
            self.lines.append(source)


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
    _room: int = _PART_BYTES
    _rests_until: float = -inf
    _reason: str = ""

    def __post_init__(self) -> None:
        self._files = SessionFiles(self.folder)

    async def catch_up(self) -> None:
        """Record everything that the files hold now.

        Raises:
            DatabaseAway: what was not recorded is recorded by the next call.
            Quarantined: PostgreSQL refuses the first fact, so nothing is recorded. Later calls try again, with a rest between.
        """
        if time.monotonic() < self._rests_until:
            raise Quarantined(self._reason)
        while True:
            try:
                await self._record()
            except MovedOn:
                self._files.forget()
            except _Refused:
                self._files.forget()
                self._room = _CAREFUL_BYTES
            except BaseException:
                # The outcome is in doubt: ask the database where the files stand before reading on.
                self._files.forget()
                raise
            else:
                return

    async def _record(self) -> None:
        """Write part after part; while PostgreSQL works on one, the next is read and folded."""
        await self._open_files()
        part = await self._next_part(self.clock, self.ended)
        while part is not None:
            clock = part.fold.batch.last_at or part.clock
            ended = self.ended or part.fold.batch.ended is not None
            ahead = asyncio.create_task(self._next_part(clock, ended))
            try:
                await self._write(part)
            except BaseException:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
                raise
            # Nothing was there when the write began: perhaps there is now.
            part = await ahead or await self._next_part(self.clock, self.ended)

    # ---- reading --------------------------------------------------------------------------------------------

    async def _next_part(self, clock: datetime, ended: bool) -> _Part | None:
        """Read and fold what comes next, pausing often: nobody who shares the loop waits long."""
        await self._open_files()
        part = _Part(clock, self._new_fold(clock))
        now = time.monotonic
        pause_at = now() + _PAUSE_AFTER_S
        careful = self._room == _CAREFUL_BYTES
        sizes = self._files.sizes()
        while part.size < self._room and max(part.fold.rows, len(part.lines)) < _PART_ROWS:
            lines = self._files.read(sizes, ended=ended)
            if not lines:
                break
            for line in lines:
                part.add(line, keep=careful)
                if now() > pause_at:
                    await asyncio.sleep(0)
                    pause_at = now() + _PAUSE_AFTER_S
        return part if part.stretches else None

    async def _open_files(self) -> None:
        names = self._files.unopened()
        if not names:
            return
        ids = {"target_id": self.owner.target_id, "session_id": self.owner.session_id}
        rows = await self.database.fetch_all("ledger.files_of", host=self.owner.host, **ids)
        if not self._files:
            session = await self.database.fetch_one("ledger.session_state", **ids)
            if session is not None:
                self.clock = session["last_event_at"] or session["started_at"]
                self.ended = session["ended"]
        self._files.open(names, rows)

    # ---- writing --------------------------------------------------------------------------------------------

    async def _write(self, part: _Part) -> None:
        """Write a part. Where PostgreSQL refuses something in it, halve it until the one bad line is alone."""
        try:
            await self._write_rows(part)
        except DataRefused as error:
            await self._write_divided(part, error)
        else:
            self._room = min(2 * self._room, _PART_BYTES)

    async def _write_divided(self, part: _Part, error: DataRefused) -> None:
        lines = part.lines
        if not lines:
            raise _Refused from error
        if len(lines) > 1:
            middle = len(lines) // 2
            await self._write(self._part_of(lines[:middle], part.clock))
            await self._write(self._part_of(lines[middle:], self.clock))
            return
        alone = self._part_of(lines, part.clock)
        if _is_first_fact(alone):
            self._reason = (
                f"PostgreSQL refuses its first fact, so nothing of it is recorded: {error}"
            )
            self._rests_until = time.monotonic() + _QUARANTINE_S
            raise Quarantined(self._reason) from error
        alone.fold = self._new_fold(part.clock)
        alone.fold.leave_out(lines[0], f"refused by the database: {error}")
        await self._write_rows(alone)

    def _part_of(self, lines: list[SourceLine], clock: datetime) -> _Part:
        part = _Part(clock, self._new_fold(clock))
        for line in lines:
            part.add(line, keep=True)
        return part

    def _new_fold(self, clock: datetime) -> Fold:
        return Fold(
            owner_id=self.owner.session or self.owner.target_id,
            agent=self.adapter,
            prices=self.prices,
            clock=clock,
            has_stream=self.has_stream,
        )

    async def _write_rows(self, part: _Part) -> None:
        if part.fold.has_requests:
            await overrides.refresh(self.prices, self.database)
        batch = part.fold.finish()
        batch.files = [
            self._files.progress(name, stretch, sum(row.name == name for row in batch.left_out))
            for name, stretch in part.stretches.items()
        ]
        written = await write_batch(self.database, self.owner, batch)
        self.clock = batch.last_at or self.clock
        self._files.recorded(batch.files)
        if self.owner.session is not None:
            self._tell(written)

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


def _is_first_fact(part: _Part) -> bool:
    """Whether a part of one line is the one that everything else hangs on: the session's own, or the target's."""
    batch = part.fold.batch
    return batch.started is not None or (batch.target is not None and part.size == _end(part))


def _end(part: _Part) -> int:
    return max(stretch.end for stretch in part.stretches.values())


def _adapter(started: Started, adapters: Callable[[str], Adapter]) -> Adapter | None:
    if started.origin == "api":
        return None
    try:
        return adapters(started.agent)
    except ConfigError as error:
        logger.warning("%s; lines of session %s are counted, not read", error, started.session_id)
        return None
