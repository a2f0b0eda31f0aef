"""A client that puts load on a server: `python -m bench.load`, a process of its own so that it competes fairly.

Reads from stdin what to ask, writes to stdout what it took. It speaks just enough HTTP to cost little beside the
server: one request at a time on each of its connections, answers with a Content-Length.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Awaitable, Callable

import msgspec

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_PATIENCE_S = 120.0


class Load(msgspec.Struct, frozen=True):
    """Ask `path` from so many connections for so many seconds, after some of warming up."""

    port: int
    path: str
    connections: int
    seconds: float
    warm_up_s: float = 0.5


class Answered(msgspec.Struct, frozen=True):
    """Seconds that each request took, the bytes of the last answer, and for how long was asked."""

    latencies: list[float]
    size: int
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Seconds within which this share of the requests was answered."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


async def ask(load: Load) -> Answered:
    """Put the load on, from a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(msgspec.json.encode(load))
    assert process.returncode == 0, f"the client failed on {load.path}"
    return msgspec.json.decode(out, type=Answered)


class _Asker(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the last is complete."""

    def __init__(self, request: bytes, until: Callable[[], bool]) -> None:
        self.request = request
        self.until = until
        self.took: list[tuple[float, float]] = []
        self.size = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._got = bytearray()
        self._whole = 0
        self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._got.clear()
        self._whole = 0
        self._begun = time.perf_counter()
        self._transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._whole:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            self._whole = end + 4 + self._length(bytes(self._got[: end + 2]))
        if len(self._got) < self._whole:
            return
        self.size = self._whole
        self.took.append((self._begun, time.perf_counter() - self._begun))
        if self.until():
            self._transport.close()
            self._end(None)
        else:
            self._ask()

    def _length(self, head: bytes) -> int:
        found = _LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200") or not found:
            self._transport.close()
            self._end(RuntimeError(f"not the answer that was expected: {head.decode()}"))
            return 0
        return int(found[1])

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the server closed the connection"))

    def _end(self, error: Exception | None) -> None:
        if not self.over.done():
            if error:
                self.over.set_exception(error)
            else:
                self.over.set_result(None)


async def _put_on(load: Load) -> Answered:
    loop = asyncio.get_running_loop()
    begin = time.perf_counter() + load.warm_up_s
    end = begin + load.seconds
    host = f"127.0.0.1:{load.port}"
    request = f"GET {load.path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

    def connect() -> Awaitable[tuple[asyncio.Transport, _Asker]]:
        return loop.create_connection(
            lambda: _Asker(request, lambda: time.perf_counter() > end), "127.0.0.1", load.port
        )

    made = await asyncio.gather(*(connect() for _ in range(load.connections)))
    askers = [asker for _, asker in made]
    async with asyncio.timeout(load.warm_up_s + load.seconds + _PATIENCE_S):
        await asyncio.gather(*(asker.over for asker in askers))
    took = [took for asker in askers for begun, took in asker.took if begun >= begin]
    return Answered(took, askers[0].size, load.seconds)


if __name__ == "__main__":
    found = asyncio.run(_put_on(msgspec.json.decode(sys.stdin.buffer.read(), type=Load)))
    sys.stdout.buffer.write(msgspec.json.encode(found))
