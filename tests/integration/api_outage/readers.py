"""Readers that go on asking, whatever they are answered, and what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

PATHS = (
    "/api/db/sessions?limit=10",
    "/api/db/targets",
    "/api/db/targets/summary",
    "/api/db/model-usage",
    "/api/health",
)
PATIENCE = 60.0
_PAUSE_S = 0.05


@dataclass(frozen=True)
class Answer:
    """`begun` and `ended` are times of the event loop."""

    path: str
    status: int
    retry_after: str | None
    told: dict[str, object]
    begun: float
    ended: float


@dataclass
class Readers:
    """All that they were answered, in the order in which the answers came."""

    address: str
    answers: list[Answer] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, wanted: Callable[[Answer], bool], since: float) -> list[Answer]:
        """Wait until every path has had an answer like that to a question asked at `since` or later."""

        def found() -> list[Answer]:
            return [one for one in self.answers if one.begun >= since and wanted(one)]

        async with asyncio.timeout(PATIENCE):
            while {one.path for one in found()} != set(PATHS):
                self.told.clear()
                await self.told.wait()
        return found()

    async def read(self, number: int) -> None:
        """Ask, in turns, each path, on one connection that is kept."""
        loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(base_url=self.address, timeout=PATIENCE) as client:
            while True:
                path = PATHS[number % len(PATHS)]
                number += 1
                begun = loop.time()
                answer = await client.get(path)
                self.answers.append(
                    Answer(
                        path,
                        answer.status_code,
                        answer.headers.get("retry-after"),
                        answer.json(),
                        begun,
                        loop.time(),
                    )
                )
                self.told.set()
                await asyncio.sleep(_PAUSE_S)


@asynccontextmanager
async def reading(address: str, readers: int) -> AsyncIterator[Readers]:
    """So many readers, as long as the block lasts; an error of any of them is the test's."""
    seen = Readers(address)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(seen.read(number)) for number in range(readers)]
        yield seen
        for task in tasks:
            task.cancel()
