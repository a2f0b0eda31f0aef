"""Locks between processes that the kernel lets go of by itself when their holder dies."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from acd.core.errors import Busy


@contextmanager
def hold(path: Path) -> Iterator[int]:
    """Hold an exclusive lock on a file (made when missing) or on a folder; yields the open file descriptor.

    A process that inherits the descriptor holds the lock too, until the last of them is gone.

    Raises:
        Busy: somebody else holds it.
    """
    descriptor = _open(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(f"{path} is in use by another process") from error
        yield descriptor
    finally:
        os.close(descriptor)


@asynccontextmanager
async def wait_for(path: Path, poll: float = 0.1) -> AsyncIterator[int]:
    """Like `hold`, but waits until the lock is free, without blocking the event loop."""
    with ExitStack() as held:
        while True:
            try:
                descriptor = held.enter_context(hold(path))
            except Busy:
                await asyncio.sleep(poll)
            else:
                yield descriptor
                return


def is_held(path: Path) -> bool:
    """Whether some process holds the lock right now."""
    if not path.exists():
        return False
    try:
        with hold(path):
            return False
    except Busy:
        return True


def _open(path: Path) -> int:
    if path.is_dir():
        return os.open(path, os.O_RDONLY)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
