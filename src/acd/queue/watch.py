"""The queue file as it stands now, while people edit it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec

from acd.core.errors import QueueFileError
from acd.core.models import Target
from acd.queue.file import read_queue_file

_POLL = 1.0

_Stamp = tuple[int, int, int] | None


class Edit(msgspec.Struct, frozen=True):
    """What an edit changed: enabled targets that are new or differ, and ids of those that are enabled no more."""

    begun: list[Target]
    over: set[UUID]


class LatestQueue:
    """The last queue file that could be read; an edit that cannot be read changes nothing."""

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            QueueFileError: it cannot be used now, and there is no earlier one.
        """
        self._path = path
        self._stamp = _stamp(path)
        self.queue = read_queue_file(path)

    async def edits(self) -> AsyncIterator[Edit | QueueFileError]:
        """For each edit, within two seconds: what it changed, or why the file cannot be used now."""
        while True:
            await asyncio.sleep(_POLL)
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._stamp = stamp
                yield self._read_again()

    def _read_again(self) -> Edit | QueueFileError:
        before = {target.id: target for target in self.queue.targets}
        try:
            self.queue = read_queue_file(self._path)
        except QueueFileError as error:
            return error
        enabled = {target.id: target for target in self.queue.targets if target.enabled}
        return Edit(
            begun=[target for target in enabled.values() if target != before.get(target.id)],
            over=set(before) - set(enabled),
        )


def _stamp(path: Path) -> _Stamp:
    """What changes whenever a file is written or replaced; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
