"""An observer that also notifies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec

from acd.core.errors import AcdError
from acd.core.models import Target
from acd.core.notices import notice_kinds
from acd.core.settings import Settings
from acd.harness.live import LiveState
from acd.harness.outcome import Outcome
from acd.harness.plan import SessionPlan
from acd.notify.addresses import Address
from acd.notify.notices import Chronicle
from acd.notify.outbox import Outbox
from acd.notify.throttle import Throttle
from acd.notify.wire import Notice
from acd.queue.observer import Observer
from acd.queue.steps import Cause, Done, Stop


class Notifier:
    """Passes everything on to another observer, and tells `put` of what is worth it. Made by `notifying`."""

    def __init__(self, inner: Observer, settings: Settings, put: Callable[[Notice], None]) -> None:
        self._inner = inner
        self._kinds = notice_kinds(settings.notify_on)
        self._throttle = Throttle(settings.notify_every)
        self._chronicle = Chronicle()
        self._put = put

    def session_started(self, plan: SessionPlan) -> None:
        """See `Observer`."""
        self._inner.session_started(plan)

    def session_progress(self, live: LiveState) -> None:
        """See `Observer`."""
        self._inner.session_progress(live)
        self._chronicle.session_progress(live)

    def session_ended(self, target: Target, outcome: Outcome) -> None:
        """See `Observer`."""
        self._inner.session_ended(target, outcome)
        self._notify(self._chronicle.session_ended(target, outcome))

    def target_waiting(
        self, target: Target, until: datetime, reason: str, cause: Cause | None = None
    ) -> None:
        """See `Observer`."""
        self._inner.target_waiting(target, until, reason, cause)
        self._notify(
            self._chronicle.target_waiting(target, until, reason, cause, datetime.now(UTC))
        )

    def target_settled(self, target: Target, step: Done | Stop) -> None:
        """See `Observer`."""
        self._inner.target_settled(target, step)
        self._notify(self._chronicle.target_settled(target, step))

    def message(self, text: str, *, warning: bool = True) -> None:
        """See `Observer`."""
        self._inner.message(text, warning=warning)

    def run_ended(self, summary: str, blocked: Sequence[tuple[str, str]]) -> None:
        """The queue's run is over; `blocked`: targets with the reason of each."""
        self._notify(self._chronicle.run_ended(summary, blocked, self._throttle.held))

    def run_failed(self, error: Exception) -> None:
        """The run cannot go on."""
        self._notify(self._chronicle.run_failed(error))

    def _notify(self, notice: Notice | None) -> None:
        if notice is None or notice.kind not in self._kinds:
            return
        held = self._throttle.admit(notice, time.monotonic())
        if held is None:
            return
        if held:
            told = f"{held} more like this since the last notification"
            notice = msgspec.structs.replace(notice, body=f"{notice.body}\n{told}")
        self._put(notice)


@asynccontextmanager
async def notifying(
    settings: Settings, addresses: Sequence[Address], inner: Observer, *, hurry: asyncio.Event
) -> AsyncIterator[Notifier]:
    """An observer that notifies while the block runs. At its end what is left is sent, for a short while.

    Args:
        settings: what to notify of and how often.
        addresses: where to; none: nothing is sent.
        inner: told everything, and what could not be sent.
        hurry: set when everything is to end at once.
    """
    async with Outbox(addresses, settings, inner.message) as outbox:
        notifier = Notifier(inner, settings, outbox.put)
        try:
            yield notifier
        except AcdError as error:
            notifier.run_failed(error)
            raise
        finally:
            await outbox.close(hurry)
