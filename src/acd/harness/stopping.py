"""Asking a session to end, with the reason where it is not a person's wish."""

from __future__ import annotations

import asyncio

from acd.core.models import ErrorType
from acd.harness.outcome import Verdict, failed


class StopSignal(asyncio.Event):
    """Once set, the session's agent is ended in order. `because` is how the session is then judged.

    `insisted`: somebody wants it to be over, so that not even its claims are checked any more; a reason of ours alone
    (a budget) ends the agent and leaves time for that.
    """

    because: Verdict | None = None
    insisted: bool = False

    def set(self) -> None:
        """Somebody wants it to be over."""
        self.insisted = True
        super().set()

    def end_at_once_because(self, error_type: ErrorType, message: str) -> None:
        """Set it, and leave no time for anything; the first reason counts."""
        if not self.is_set():
            self.because = failed(error_type, message)
        self.set()

    def end_because(self, error_type: ErrorType, message: str) -> None:
        """Set it, unless it is set already: the first reason counts."""
        if not self.is_set():
            self.because = failed(error_type, message)
            super().set()


def reason_of(stop: asyncio.Event | None) -> Verdict | None:
    """Why it was set; None where it was not, or nobody said."""
    return stop.because if isinstance(stop, StopSignal) and stop.is_set() else None


def is_insisted(stop: asyncio.Event) -> bool:
    """Whether nothing may take long any more."""
    return stop.insisted if isinstance(stop, StopSignal) else stop.is_set()
