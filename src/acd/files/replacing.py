"""Giving a file that belongs to somebody else new content in one step: a reader sees the old file or the new one."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

Stamp = tuple[int, int, int]
"""What changes whenever a file is written: time, size, inode."""


def stamp_of(path: Path) -> Stamp:
    """The file's stamp.

    Raises:
        OSError: there is no such file.
    """
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def replace_file(path: Path, content: bytes, before: Stamp | None) -> bool:
    """Put the content in the file's place, with its permissions; False where it was changed since `before`.

    `before` None: nothing is asked, and there need not be such a file. A link is replaced, not followed.

    Raises:
        OSError: the folder or the disk does not let us.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        with draft.open("xb") as file:
            if path.is_file():
                _take_after(path, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if before is not None and stamp_of(path) != before:
            return False
        draft.replace(path)
        _sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)
    return True


def _take_after(path: Path, descriptor: int) -> None:
    """Mode and owner of the file that is replaced; another owner only where we may give files away."""
    status = path.stat()
    os.fchmod(descriptor, status.st_mode & 0o7777)
    with suppress(PermissionError):
        os.fchown(descriptor, status.st_uid, status.st_gid)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
