"""Asking a session to end, with the reason where it is not a person's wish."""

from __future__ import annotations

import asyncio

from acd.core.models import ErrorType
from acd.harness.outcome import Verdict, failed


class StopSignal(asyncio.Event):
    """Once set, the session's agent is ended in order. `because` is how the session is then judged."""

    because: Verdict | None = None

    def end_because(self, error_type: ErrorType, message: str) -> None:
        """Set it, unless it is set already: the first reason counts."""
        if not self.is_set():
            self.because = failed(error_type, message)
            self.set()


def reason_of(stop: asyncio.Event | None) -> Verdict | None:
    """Why it was set; None where it was not, or nobody said."""
    return stop.because if isinstance(stop, StopSignal) and stop.is_set() else None
