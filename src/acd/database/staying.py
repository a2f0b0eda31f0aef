"""Whether the embedded server stays without clients, and being one of its clients where it is up anyway. Loads no driver."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from acd.core.errors import DatabaseRefused, NotQuick
from acd.database.locks import FileLock, is_free
from acd.database.places import Places, places_of

_LEAVE_TIMEOUT = 20.0
_POLL = 0.01


def is_kept(places: Places) -> bool:
    """Whether it stays when its last client leaves (`acd db start`)."""
    with suppress(FileNotFoundError):
        return places.keep.read_text() == places.guard.read_text()
    return False


def wait_until_stopped(places: Places) -> None:
    """Wait for the guard to stop the server and end; returns at once where somebody else uses it."""
    deadline = time.monotonic() + _LEAVE_TIMEOUT
    while not is_free(places.guard) and time.monotonic() < deadline:
        if not is_free(places.users):
            return
        time.sleep(_POLL)


@contextmanager
def joined(home: Path) -> Iterator[str]:
    """URL of the embedded server of an ACD_HOME, where it is up and would stay so; held up for the length of the block.

    As `EmbeddedServer.attach` and `leave`, but nothing is made, started or mended here.

    Raises:
        NotQuick: it has to be started, or may be about to stop.
    """
    try:
        places = places_of(home)
        users = FileLock(places.users)
        _join(places, users)
    except (OSError, DatabaseRefused) as error:
        raise NotQuick(str(error)) from error
    try:
        yield places.url()
    finally:
        users.unlock()
        if not is_kept(places):
            wait_until_stopped(places)


def _join(places: Places, users: FileLock) -> None:
    if not places.socket.exists():
        raise NotQuick("the embedded server is not up")
    with FileLock(places.gate).held(seconds=0) as got:
        # With the gate ours nobody starts or stops it; one that nobody uses nor keeps is about to stop.
        if not got or is_free(places.guard) or (is_free(places.users) and not is_kept(places)):
            raise NotQuick("the embedded server may be about to stop")
        if not users.lock(seconds=_POLL, shared=True):
            raise NotQuick("the embedded server's guard is looking")
