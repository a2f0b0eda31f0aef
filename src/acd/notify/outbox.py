"""What waits to be sent: a short queue and a sender for each address, beside the work and never in its way."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from acd.core.settings import Settings
from acd.notify.addresses import Address
from acd.notify.carrier import NotSent, deliver
from acd.notify.trouble import Troubles
from acd.notify.wire import THE_URL, Answer, Notice

logger = logging.getLogger("acd.notify")

LAST_S = 10.0
"""How long the end of a run waits for what is left to be sent."""
HURRIED_S = 2.0
"""The same where somebody ends everything at once."""

_MOST_WAITING = 100
_BATCH = 20
_WAITS_S = (2.0, 10.0)
"""Waits before another try; then these notices are given up."""

Deliver = Callable[[Address, Sequence[Notice]], AsyncGenerator[Answer]]


class Outbox:
    """Sends notices to every address. `tell` is called with a warning when some do not arrive.

    Used as an asynchronous context; `close` first, where what is left is to be sent.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        settings: Settings,
        tell: Callable[[str], None],
        *,
        deliver: Deliver = deliver,
        waits_s: Sequence[float] = _WAITS_S,
    ) -> None:
        troubles = Troubles(settings)
        self._lanes = [_Lane(each, troubles, tell, deliver, waits_s) for each in addresses]
        self._senders: list[asyncio.Task[None]] = []

    def put(self, notice: Notice) -> None:
        """Let it be sent; returns at once. What does not fit is counted as not sent."""
        for lane in self._lanes:
            lane.put(notice)

    async def __aenter__(self) -> Outbox:
        self._senders = [
            asyncio.create_task(lane.send(), name="notifications") for lane in self._lanes
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for sender in self._senders:
            sender.cancel()
        for end in await asyncio.gather(*self._senders, return_exceptions=True):
            if isinstance(end, Exception):
                logger.error("a sender of notifications has ended", exc_info=end)
        for lane in self._lanes:
            lane.tell_of_unsent()

    async def close(self, hurry: asyncio.Event) -> None:
        """Wait until everything is sent or given up, at most `LAST_S`, or `HURRIED_S` once `hurry` is set."""
        for lane in self._lanes:
            lane.closing = True
            lane.news.set()
        hurrying = asyncio.create_task(_hurried(hurry), name="hurry")
        everything = asyncio.create_task(self._sent(), name="last notifications")
        try:
            await asyncio.wait(
                [everything, hurrying], timeout=LAST_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            hurrying.cancel()
            everything.cancel()

    async def _sent(self) -> None:
        await asyncio.gather(*self._senders, return_exceptions=True)


async def _hurried(hurry: asyncio.Event) -> None:
    await hurry.wait()
    await asyncio.sleep(HURRIED_S)


class _Lane:
    """One address: what waits for it, and its sender."""

    def __init__(
        self,
        address: Address,
        troubles: Troubles,
        tell: Callable[[str], None],
        deliver: Deliver,
        waits_s: Sequence[float],
    ) -> None:
        self.news = asyncio.Event()
        self.closing = False
        self._address = address
        self._troubles = troubles
        self._tell = tell
        self._deliver = deliver
        self._waits_s = waits_s
        self._waiting: deque[Notice] = deque()
        self._dropped = 0

    def put(self, notice: Notice) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(notice)
        self.news.set()

    async def send(self) -> None:
        """Send what comes, until closing and all done. Only what has arrived, or is given up, is taken off the queue."""
        while True:
            if not self._waiting:
                if self.closing:
                    return
                self.news.clear()
                await self.news.wait()
                continue
            await self._send_batch(min(len(self._waiting), _BATCH))

    async def _send_batch(self, size: int) -> None:
        left, reason = size, ""
        for wait_s in (0.0, *self._waits_s):
            await asyncio.sleep(wait_s)
            arrived, reason = await self._try(left)
            if arrived:
                self._troubles.over(self._address.number)
            left -= arrived
            if not left:
                return
        for _ in range(left):
            self._waiting.popleft()
        self._complain(left, reason)

    async def _try(self, count: int) -> tuple[int, str]:
        """How many of the first so many arrived (they are off the queue), and why the others did not."""
        arrived, reason = 0, ""
        notices = list(self._waiting)[:count]
        try:
            async with aclosing(self._deliver(self._address, notices)) as answers:
                async for answer in answers:
                    if answer.reason is not None:
                        reason = answer.reason
                    elif answer.index != THE_URL:
                        self._waiting.remove(notices[answer.index])
                        arrived += 1
        except (NotSent, OSError) as error:
            reason = str(error)
        return arrived, reason

    def tell_of_unsent(self) -> None:
        """At the very end: what is still here was not sent."""
        if left := len(self._waiting) + self._dropped:
            self._complain(left, "the time for sending was over")

    def _complain(self, count: int, reason: str) -> None:
        number, label = self._address.number, self._address.label
        what = "1 notification was" if count == 1 else f"{count} notifications were"
        self._tell(f"{what} not sent to {label}: {reason}")
        self._troubles.add(number, label, reason, count)
