"""Reading a file that somebody else put there: only regular files, only below given folders, never more than a limit."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path


class FileRefused(Exception):
    """The file is not one that we read; the message says why."""


def read_regular_file(path: Path, roots: Sequence[Path], limit: int) -> bytes:
    """The whole content of a file below one of `roots`.

    Links are followed first and judged by where they lead; the result is then opened folder by folder from its root
    without following any link, so that a link put there in between leads nowhere.

    Raises:
        FileRefused: it is outside the roots, no regular file, larger than `limit` bytes, or changed while being read.
        OSError: it cannot be read; `FileNotFoundError` when there is none.
    """
    real = Path(os.path.realpath(path, strict=True))
    for root in roots:
        real_root = Path(os.path.realpath(root))
        if real.is_relative_to(real_root) and real != real_root:
            return _read(real_root, real.relative_to(real_root).parts, limit)
    allowed = " or ".join(str(root) for root in roots)
    raise FileRefused(f"it leads to {real}, which is not in {allowed}")


def _read(root: Path, parts: tuple[str, ...], limit: int) -> bytes:
    with ExitStack() as opened:
        folder = _open(opened, str(root), os.O_DIRECTORY, None)
        for part in parts[:-1]:
            folder = _open(opened, part, os.O_DIRECTORY | os.O_NOFOLLOW, folder)
        # O_NONBLOCK: opening a FIFO nobody writes to would wait for ever.
        descriptor = _open(opened, parts[-1], os.O_NOFOLLOW | os.O_NONBLOCK, folder)
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise FileRefused("it is not a regular file")
        if before.st_size > limit:
            raise FileRefused(f"it has {before.st_size} bytes; at most {limit} are read")
        data = _read_at_most(descriptor, limit + 1)
        after = os.fstat(descriptor)
    if len(data) != before.st_size or before.st_mtime_ns != after.st_mtime_ns:
        raise FileRefused("it changed while it was read; try again")
    return data


def _open(opened: ExitStack, name: str, flags: int, folder: int | None) -> int:
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | flags, dir_fd=folder)
    opened.callback(os.close, descriptor)
    return descriptor


def _read_at_most(descriptor: int, limit: int) -> bytes:
    parts = []
    while limit > 0 and (part := os.read(descriptor, min(limit, 1024 * 1024))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)
