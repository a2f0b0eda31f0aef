"""What the orchestrator tells whoever looks on: the command line's live view, or the log."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Protocol

from acd.core.models import Target
from acd.core.text import printable
from acd.harness.live import LiveState
from acd.harness.outcome import Outcome
from acd.harness.plan import SessionPlan
from acd.queue.steps import Cause, Done, Stop

logger = logging.getLogger("acd.queue")


class Observer(Protocol):
    """Called on the event loop, in order; must return at once and raise nothing."""

    def session_started(self, plan: SessionPlan) -> None:
        """A session is about to be worked (it may wait for its repository first)."""
        ...

    def session_progress(self, live: LiveState) -> None:
        """A running session, own or adopted, has news; the same object each time."""
        ...

    def session_ended(self, target: Target, outcome: Outcome) -> None:
        """A session, own or adopted, is over; `outcome.session_id` is that of its plan or live state."""
        ...

    def target_waiting(
        self, target: Target, until: datetime, reason: str, cause: Cause | None = None
    ) -> None:
        """The target's next session comes at `until` at the earliest. `cause`: see `Wait`."""
        ...

    def target_settled(self, target: Target, step: Done | Stop) -> None:
        """Nothing more is done for the target in this run."""
        ...

    def message(self, text: str, *, warning: bool = True) -> None:
        """Something the user should read once."""
        ...


class LogObserver:
    """Tells the log, for workers that nobody looks at."""

    def session_started(self, plan: SessionPlan) -> None:
        """One line."""
        target = plan.target.repo_id
        logger.info("%s: %s session with %s", target, plan.session_type, plan.model)

    def session_progress(self, live: LiveState) -> None:
        """Nothing."""

    def session_ended(self, target: Target, outcome: Outcome) -> None:
        """One line."""
        why = f" ({outcome.error_type}: {outcome.error_message})" if outcome.error_type else ""
        logger.info("%s: session %s%s", target.repo_id, outcome.status, printable(why))

    def target_waiting(
        self, target: Target, until: datetime, reason: str, cause: Cause | None = None
    ) -> None:
        """One line."""
        at = until.isoformat(timespec="seconds")
        logger.info("%s: waiting until %s: %s", target.repo_id, at, printable(reason))

    def target_settled(self, target: Target, step: Done | Stop) -> None:
        """One line."""
        word = "done" if isinstance(step, Done) else "blocked"
        logger.info("%s: %s: %s", target.repo_id, word, printable(step.reason))

    def message(self, text: str, *, warning: bool = True) -> None:
        """One line."""
        logger.log(logging.WARNING if warning else logging.INFO, "%s", printable(text))
