"""One read for all who ask the same at the same time.

While a read is under way, whoever asks the same waits for the next one, which begins when this one ends and answers
all of them. So an answer is never older than its question, which a cache could not promise, and a hundred readers of
one page cost PostgreSQL two queries at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

from acd.core.errors import DatabaseAway

Answer = TypeVar("Answer")


class Sharing(Generic[Answer]):
    """Reads by question: of each question one that is under way, and one at most that waits for it.

    An answer that is `final` goes to those who wait for the next read too, as does DatabaseAway.
    """

    def __init__(self, final: Callable[[Answer], bool] = lambda _: False) -> None:
        self._final = final
        self._under_way: dict[Hashable, asyncio.Task[Answer]] = {}
        self._next: dict[Hashable, asyncio.Task[Answer]] = {}

    async def ask(self, question: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        """What a `read` that begins after this call gives; a reader that gives up stops nobody else's.

        Raises:
            DatabaseAway: also when the read before found no database: nobody waits for two time limits.
        """
        task = self._next.get(question)
        if task is None:
            before = self._under_way.get(question)
            task = asyncio.create_task(self._read(question, read, before))
            task.add_done_callback(_noticed)
            (self._under_way if before is None else self._next)[question] = task
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End every read."""
        tasks = [*self._under_way.values(), *self._next.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(
        self,
        question: Hashable,
        read: Callable[[], Awaitable[Answer]],
        before: asyncio.Task[Answer] | None,
    ) -> Answer:
        try:
            if before is not None:
                await asyncio.wait([before])
                self._under_way[question] = self._next.pop(question)
                if not before.cancelled() and self._settles(before):
                    return before.result()
            return await read()
        finally:
            if question not in self._next:
                self._under_way.pop(question, None)

    def _settles(self, done: asyncio.Task[Answer]) -> bool:
        error = done.exception()
        return isinstance(error, DatabaseAway) if error else self._final(done.result())


def _noticed(task: asyncio.Task[Answer]) -> None:
    """All who asked may have gone: then nobody else looks at the error."""
    with suppress(asyncio.CancelledError):
        task.exception()
