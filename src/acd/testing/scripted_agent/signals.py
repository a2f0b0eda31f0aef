"""Signals as an exception that never arrives in the middle of a line."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(Exception):
    """A signal asks the agent to end."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class SignalGate:
    """Raises `Stopped` where the agent happens to be, or at the end of the part that must not be torn."""

    def __init__(self) -> None:
        self._depth = 0
        self._pending: int | None = None

    def install(self) -> None:
        """Take over TERM, INT and HUP."""
        for signum in STOPPING:
            signal.signal(signum, self._arrived)

    def ignore(self) -> None:
        """Be deaf to them from now on: an agent that hangs for real."""
        for signum in STOPPING:
            signal.signal(signum, signal.SIG_IGN)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep what arrives until the block is done. Nothing is blocked in the kernel: children would inherit that."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        if self._depth == 0 and self._pending is not None:
            signum, self._pending = self._pending, None
            raise Stopped(signum)

    def _arrived(self, signum: int, _frame: FrameType | None) -> None:
        if self._depth:
            self._pending = signum
        else:
            raise Stopped(signum)
