"""Watching an agent at work: why it ended, or why it has to be ended now."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from acd.core.settings import Settings
from acd.files.folder import SessionFolder
from acd.harness.live import LiveState
from acd.harness.process import AgentProcess
from acd.harness.stream import StreamFollower

EndReason = Literal[
    "exited",
    "stopped",
    "timeout",
    "silent",
    "lingering",
    "flooded",
    "disk_full",
    "denied",
    "broken",
]
"""Why watching ended: the agent exited by itself; somebody asked us to stop; a limit (see `Limits`); we failed."""

_POLL = 0.1
_TICK = 2.0
_RESERVE_SHARE = 8


@dataclass(frozen=True)
class Limits:
    """Limits of a session, in seconds, bytes and denied tool calls. `session` is counted from the live state's start."""

    session: float
    silence: float
    after_result: float
    output: int
    free_space: int
    denials: int

    @classmethod
    def of(cls, settings: Settings, seconds_left: float | None = None) -> Limits:
        """The limits that the settings give; a run that ends in `seconds_left` may end the session sooner.

        A running session may eat into the space without which none is started, but not use it up: the journal
        still has to be written.
        """
        session = settings.session_timeout
        return cls(
            session=session if seconds_left is None else min(session, max(seconds_left, 0)),
            silence=settings.silence_timeout,
            after_result=settings.result_timeout,
            output=settings.output_limit,
            free_space=settings.free_space_floor // _RESERVE_SHARE,
            denials=settings.denial_limit,
        )


@dataclass
class Watch:
    """Looks after one running agent until it is gone or has to go. Ends no process itself.

    `on_output` is called when the agent printed something, `on_tick` every two seconds.
    """

    process: AgentProcess
    folder: SessionFolder
    follower: StreamFollower
    live: LiveState
    limits: Limits
    stop: asyncio.Event
    on_output: Callable[[], None]
    on_tick: Callable[[], None]
    _complained: int = 0
    _last_tick: float = field(default_factory=time.monotonic)

    async def until_end(self) -> EndReason:
        """Wait for the end of the agent or for a reason to end it."""
        while True:
            exited = self.process.exited()  # before the last look at its files
            self._look()
            if exited:
                return "exited"
            if self.stop.is_set():
                return "stopped"
            if reason := self._exceeded():
                return reason
            await asyncio.sleep(_POLL)

    def _look(self) -> None:
        printed, complained = self.folder.stream.stat().st_size, self.folder.stderr.stat().st_size
        self.follower.advance()
        if (printed, complained) != (self.live.printed, self._complained):
            self.live.printed, self._complained = printed, complained
            self.live.last_activity = time.monotonic()
            self.on_output()
        if time.monotonic() - self._last_tick >= _TICK:
            self._last_tick = time.monotonic()
            self.on_tick()

    def _exceeded(self) -> EndReason | None:
        now, limits, live = time.monotonic(), self.limits, self.live
        if live.printed + self._complained > limits.output:
            return "flooded"
        if live.reported_at is not None and now - live.reported_at > limits.after_result:
            return "lingering"
        if live.denials >= limits.denials and live.reported_at is None:
            return "denied"
        if live.elapsed > limits.session:
            return "timeout"
        if now - live.last_activity > limits.silence:
            return "silent"
        if shutil.disk_usage(self.folder.path).free < limits.free_space:
            return "disk_full"
        return None
