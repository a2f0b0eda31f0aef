"""File locks between processes. The kernel drops the lock of a process that is killed. Standard library only."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_POLL = 0.01


class FileLock:
    """One `flock` on a file that is made when missing; not inherited by children unless `fd` is handed to them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    @property
    def fd(self) -> int:
        """File descriptor of the lock that is held."""
        if self._fd is None:
            raise ValueError(f"{self._path} is not locked")
        return self._fd

    @property
    def is_held(self) -> bool:
        """Whether we hold it."""
        return self._fd is not None

    def try_lock(self, *, shared: bool = False) -> bool:
        """Take the lock if nobody is in the way."""
        if self._fd is not None:
            raise ValueError(f"{self._path} is locked already")
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        except OSError:
            os.close(fd)
            raise
        if not self._is_still_there(fd):  # it was removed between our opening and our locking
            os.close(fd)
            return False
        self._fd = fd
        return True

    def _is_still_there(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), self._path.stat())
        except FileNotFoundError:
            return False

    def lock(self, *, seconds: float, shared: bool = False) -> bool:
        """Take the lock, waiting up to `seconds` for others; False when that was not enough."""
        deadline = time.monotonic() + seconds
        while not self.try_lock(shared=shared):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL)
        return True

    def unlock(self) -> None:
        """Give the lock back; does nothing where it is not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @contextmanager
    def held(self, *, seconds: float) -> Iterator[bool]:
        """The lock for the length of a block; the block learns whether it was got."""
        got = self.lock(seconds=seconds)
        try:
            yield got
        finally:
            self.unlock()


def is_free(path: Path) -> bool:
    """Whether nobody holds any lock on the file."""
    probe = FileLock(path)
    if probe.try_lock():
        probe.unlock()
        return True
    return False
