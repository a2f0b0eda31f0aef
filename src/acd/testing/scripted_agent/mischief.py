"""What a bad agent does: each class is a step of a scenario, its fields are the step's keys.

Whatever lingers does so for a limited time (`seconds`), so that a test that fails leaves nothing behind for long.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Literal

from acd.testing.ledger import Expected, LeftBehind
from acd.testing.prices import Count
from acd.testing.scripted_agent import ending as ends
from acd.testing.scripted_agent import lines, trouble, wire
from acd.testing.scripted_agent.broken import BrokenKind, broken_line
from acd.testing.scripted_agent.failures import FAILURES, FailureName
from acd.testing.scripted_agent.news import BeDenied, Window
from acd.testing.scripted_agent.session import Session, text
from acd.testing.scripted_agent.steps import Step
from acd.testing.scripted_agent.wire import Failure


class Fail(Step, frozen=True, tag="fail"):
    """End with `error`. `retries`: how many retry lines come before (default: 1 where the genuine program retries).

    `usage_limit` takes `resets_in` (seconds) and `window`; `permission` ends well, with a denial in the result.
    """

    error: FailureName | Literal["max_turns", "budget", "permission"]
    retries: Count | None = None
    resets_in: float = 3600
    window: Window = "five_hour"

    @property
    def needs_subscription(self) -> bool:
        """Only a subscription has usage limits."""
        return self.error == "usage_limit"

    def perform(self, session: Session) -> None:
        """Print what belongs to the failure and end."""
        if self.error == "permission":
            BeDenied().perform(session)
            session.request([text("Was denied.")])
            raise ends.SessionOver(ends.done())
        if self.error == "max_turns":
            limit = session.options.max_turns or max(session.account.user_lines, 1)
            raise ends.SessionOver(ends.out_of_turns(limit))
        if self.error == "budget":
            limit_usd = session.options.max_budget_usd or session.account.cost
            raise ends.SessionOver(ends.out_of_budget(limit_usd))
        if self.error == "usage_limit":
            self._hit_limit(session)
        self._fail_request(session, FAILURES[self.error])

    def _fail_request(self, session: Session, failure: Failure) -> None:
        retries = self.retries
        if retries is None:
            retries = 1 if failure.retry_error else 0
        trouble.print_retries(session, failure, retries, retries)
        trouble.print_synthetic(session, failure)
        raise ends.SessionOver(ends.api_failure(failure))

    def _hit_limit(self, session: Session) -> None:
        resets_at = math.ceil(time.time() + self.resets_in)
        info = lines.limit_info("rejected", self.window, resets_at)
        trouble.print_limit(session, info)
        clock = datetime.fromtimestamp(resets_at, UTC).strftime("%H:%M")
        failure = FAILURES["usage_limit"]
        told = f"You've hit your {self.window.replace('_', ' ')} limit · resets {clock} (UTC)"
        failure = wire.with_text(failure, told)
        short = {key: value for key, value in info.items() if key != "unifiedWindows"}
        trouble.print_synthetic(session, failure, {"rate_limit_info": short})
        raise ends.SessionOver(ends.api_failure(failure))


class ConfigError(Step, frozen=True, tag="config_error"):
    """Refuse to start: nothing on stdout, `message` on stderr, exit status 1. Must be the session's only step."""

    message: str = "error: unknown option"


class Exit(Step, frozen=True, tag="exit"):
    """Exit with `code` and no result line; with `signal` (`KILL`, `SEGV`) die of that instead."""

    code: int = 1
    signal: Literal["KILL", "SEGV", "ABRT"] | None = None
    stderr: str = ""

    def perform(self, session: Session) -> None:
        """Be gone."""
        if self.stderr:
            print(self.stderr, file=sys.stderr, flush=True)
        ending = ends.Ending(exit_code=self.code, subtype=None, keeps_cost_state=False)
        if self.signal is not None:
            session.expect(ending)
            os.kill(os.getpid(), signal.Signals[f"SIG{self.signal}"])
        raise ends.SessionOver(ending)


class Hang(Step, frozen=True, tag="hang"):
    """Say nothing for `seconds`, now or `after_result`; `ignore_signals`: only KILL helps, from this step on."""

    when: Literal["now", "after_result"] = "now"
    ignore_signals: bool = False
    seconds: float = 120

    def perform(self, session: Session) -> None:
        """Hang, or see to it that the end hangs."""
        if self.ignore_signals:
            session.gate.ignore()
        if self.when == "after_result":
            session.after_result = lambda: time.sleep(self.seconds)
            return
        session.book.add(Expected(session_id=session.id, outcome="hanging"))
        time.sleep(self.seconds)
        raise ends.SessionOver(ends.Ending(exit_code=1, subtype=None))


class Flood(Step, frozen=True, tag="flood"):
    """Print `bytes` bytes in well-formed lines of `line_bytes` each."""

    bytes: Count
    line_bytes: Count = 65536

    def perform(self, session: Session) -> None:
        """Print and print."""
        frame = len(broken_line("long", 0))
        line = broken_line("long", max(self.line_bytes - frame, 0))
        left = self.bytes
        while left > 0:
            with session.gate.held():
                session.recorder.print_raw(line)
            left -= len(line)


class PrintBroken(Step, frozen=True, tag="broken"):
    """Print one broken line of each of `kinds`. `size`: depth of `deep`, bytes of `long`."""

    kinds: list[BrokenKind]
    size: Count = 100_000

    def perform(self, session: Session) -> None:
        """Print them."""
        for kind in self.kinds:
            with session.gate.held():
                session.recorder.print_raw(broken_line(kind, self.size))


class LeaveGrandchild(Step, frozen=True, tag="grandchild"):
    """Leave a process behind; `detached`: in a session of its own; `ignore_term`: deaf to TERM, HUP and INT."""

    detached: bool = False
    ignore_term: bool = False
    seconds: float = 120

    def perform(self, session: Session) -> None:
        """Start it and forget it."""
        trap = 'trap "" TERM HUP INT; ' if self.ignore_term else ""
        child = subprocess.Popen(
            ["/bin/sh", "-c", f"{trap}exec sleep {self.seconds:g}"],
            stdin=subprocess.DEVNULL,
            start_new_session=self.detached,
        )
        session.book.add(LeftBehind(session_id=session.id, pid=child.pid))
