"""How a run comes to its end: no new sessions, then sessions ended in order, then everything at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

EndedBy = Literal["done", "hours", "max_sessions", "stopped", "failed"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DATABASE_GRACE_S = 10.0
"""After a stop, how long a database that is away is waited for. What was not written is recorded at the next start."""


class Ending:
    """The three stages, each of which includes those before it. `by` is what set the first one off.

    `draining`: no session is begun any more. `stopping`: sessions in flight end in order. `giving_up`: nobody waits
    for the database any more.
    """

    def __init__(self) -> None:
        self.draining = asyncio.Event()
        self.stopping = asyncio.Event()
        self.giving_up = asyncio.Event()
        self.by: EndedBy | None = None
        self._when_stopping: list[Callable[[], object]] = []
        self._at_once: list[Callable[[], object]] = []

    def drain(self, by: EndedBy) -> None:
        """Begin no further session; those in flight end by themselves."""
        self.by = self.by or by
        self.draining.set()

    def stop(self) -> None:
        """End the sessions in flight in order."""
        self.by = "stopped"
        self.draining.set()
        if not self.stopping.is_set():
            self.stopping.set()
            for call in self._when_stopping:
                call()
            asyncio.get_running_loop().call_later(DATABASE_GRACE_S, self.giving_up.set)

    def stop_at_once(self) -> None:
        """End them with KILL; what they did is still written to their files."""
        self.stop()
        self.giving_up.set()
        for call in self._at_once:
            call()

    def call_when_stopping(self, call: Callable[[], object]) -> None:
        """Have `call` called when sessions in flight are to end in order."""
        self._when_stopping.append(call)

    def call_at_once(self, call: Callable[[], object]) -> None:
        """Have `call` called when everything is to end at once."""
        self._at_once.append(call)

    def interrupted(self) -> None:
        """A signal came: the first one ends in order, the next one at once."""
        if self.stopping.is_set():
            self.stop_at_once()
        else:
            self.stop()


@contextmanager
def ended_by_signals(ending: Ending, tell: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, let INT, TERM and HUP end it; `tell` is called with what happens now."""
    loop = asyncio.get_running_loop()

    def received() -> None:
        at_once = ending.stopping.is_set()
        ending.interrupted()
        tell(
            "ending at once" if at_once else "ending sessions in order; once more ends them at once"
        )

    for number in _SIGNALS:
        loop.add_signal_handler(number, received)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
