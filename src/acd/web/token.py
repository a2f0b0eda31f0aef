"""The token of a server: a random word in `ACD_HOME/token`, which its owner alone can read."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from acd.core.errors import ConfigError

TOKEN_FILE = "token"  # noqa: S105 - a file's name
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{32,200}")
_LARGEST = 1024


def read_or_make_token(home: Path) -> str:
    """The token of an ACD_HOME; made where there is none. Several that start at once end up with the same one.

    Raises:
        ConfigError: it can be neither read nor made, is no token, or is readable to others.
    """
    path = home / TOKEN_FILE
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        raise ConfigError(f"the token {path} cannot be read or made: {error.strerror}") from error


def _make(path: Path) -> None:
    """Written whole beside its place, then linked there: nobody ever reads half of it, and the first one stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_urlsafe(32)}\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path} is no regular file; remove it, and a new token is made")
        if status.st_mode & 0o077:
            raise ConfigError(
                f"{path} can be read by others (mode {stat.S_IMODE(status.st_mode):o}), so its token is no secret any "
                "more: remove it, and a new one is made"
            )
        text = file.read(_LARGEST).decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(text):
        raise ConfigError(f"{path} holds no token; remove it, and a new one is made")
    return text
