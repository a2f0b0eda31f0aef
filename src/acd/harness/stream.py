"""Following the agent's stream while it grows: just to see what is going on; the ledger reads it for the record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from acd.core.errors import UnreadableLine
from acd.core.events import Event
from acd.files.lines import LineReader
from acd.harness.live import LiveState

_BATCH = 1024 * 1024
_BACKLOG = 32 * 1024 * 1024
"""Bytes that we may fall behind. An agent that prints faster is followed with gaps; how it ends stands at the end."""


class StreamFollower:
    """Feeds the events of a stream into a `LiveState`."""

    def __init__(self, path: Path, read: Callable[[bytes], list[Event]], live: LiveState) -> None:
        self._path = path
        self._read = read
        self._live = live
        self._reader = LineReader(path)
        self._behind_gap = False

    def advance(self) -> None:
        """Take in about the next megabyte of what is new."""
        self._take(final=False)

    async def finish(self) -> None:
        """Take in all the rest; nobody writes the stream any more."""
        end = self._path.stat().st_size
        while self._reader.offset < end:
            self._take(final=True)
            await asyncio.sleep(0)

    def _take(self, *, final: bool) -> None:
        self._skip_backlog()
        for line in self._reader.read(_BATCH, final=final):
            if line.data is not None and not self._behind_gap:
                self._take_line(line.data)
            self._behind_gap = False  # a gap ends somewhere in a line, and that one is only a part

    def _take_line(self, data: bytes) -> None:
        try:
            events = self._read(data)
        except UnreadableLine:
            return  # the ledger counts it, with its reason and place
        for event in events:
            self._live.take(event)

    def _skip_backlog(self) -> None:
        end = self._path.stat().st_size
        if end - self._reader.offset > 2 * _BACKLOG:
            self._reader = LineReader(self._path, end - _BACKLOG)
            self._behind_gap = True
