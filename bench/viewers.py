"""People who look at a page of a session that runs: `python -m bench.viewers`, a process of its own.

Each does what the page's script does: follows `/api/events`, and asks for the page again when something happened, at
most once a second. Reads from stdin what to look at, writes to stdout what it took.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress

import httpx
import msgspec

_LEAST_S = 1.0
_PATIENCE_S = 120.0


class Watch(msgspec.Struct, frozen=True):
    """So many viewers of `page`, who follow `events`, for so many seconds."""

    port: int
    page: str
    events: str
    viewers: int
    seconds: float


class Watched(msgspec.Struct, frozen=True):
    """Seconds that each page took, and how many events were heard in all."""

    latencies: list[float]
    events: int


async def watch(told: Watch) -> Watched:
    """Look at a page, from a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.viewers",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    found, _ = await process.communicate(msgspec.json.encode(told))
    if process.returncode:
        raise RuntimeError("the viewers failed")
    return msgspec.json.decode(found, type=Watched)


class _Viewer:
    def __init__(self, client: httpx.AsyncClient, told: Watch) -> None:
        self._client = client
        self._told = told
        self._news = asyncio.Event()
        self.latencies: list[float] = []
        self.events = 0

    async def look(self) -> None:
        """Until somebody cancels it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._refresh())

    async def _follow(self) -> None:
        async with self._client.stream("GET", self._told.events) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("event:"):
                    self.events += 1
                    self._news.set()

    async def _refresh(self) -> None:
        while True:
            begin = time.perf_counter()
            answer = await self._client.get(self._told.page)
            answer.raise_for_status()
            self.latencies.append(time.perf_counter() - begin)
            await asyncio.sleep(max(0.0, _LEAST_S - (time.perf_counter() - begin)))
            await self._news.wait()
            self._news.clear()


async def _look(told: Watch) -> Watched:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    base = f"http://127.0.0.1:{told.port}"
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=_PATIENCE_S) as client:
        viewers = [_Viewer(client, told) for _ in range(told.viewers)]
        looking = [asyncio.create_task(viewer.look()) for viewer in viewers]
        await asyncio.wait(looking, timeout=told.seconds)
        for task in looking:
            task.cancel()
        for task in looking:
            with suppress(asyncio.CancelledError):
                await task
    return Watched(
        [each for viewer in viewers for each in viewer.latencies],
        sum(viewer.events for viewer in viewers),
    )


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Watch)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_look(asked))))
