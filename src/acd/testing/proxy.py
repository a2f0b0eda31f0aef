"""A proxy in front of PostgreSQL (or any server whose client asks and waits): passes bytes on, cuts, stalls, counts.

    async with Proxy(Path("/run/postgresql/.s.PGSQL.5432")) as proxy:
        …connect to 127.0.0.1, port proxy.port…
        fired = proxy.arm(Cut(b"COMMIT", answered=True))
        …the client's next COMMIT reaches the server, its answer does not reach the client…
        await fired.wait()

It reads no protocol: a moment is where the client sends certain bytes, and how many bytes follow. The connection must
therefore not be encrypted, and a statement that the driver has prepared is sent once and never seen again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

_CHUNK = 64 * 1024

Address = Path | tuple[str, int]
"""A unix socket, or host and port."""


@dataclass(frozen=True)
class Cut:
    """A moment at which a connection breaks, on both sides at once.

    Attributes:
        marker: it counts from where the client begins to send these bytes; empty: from the client's next byte.
        passing: how many of the client's bytes from there on still reach the server.
        answered: instead, all of the client's bytes do, and the connection breaks when the answer to them arrives,
            which the client never sees.
    """

    marker: bytes = b""
    passing: int = 0
    answered: bool = False


@dataclass
class _Armed:
    """A cut that waits for its moment, whichever connection meets it."""

    cut: Cut
    fired: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Listens on a loopback port of its own while the block lasts.

    Attributes:
        connections: how many clients have connected.
        cuts: how many connections were cut by `arm` or `cut_all`.
        sent: bytes that clients have sent, whether or not they were passed on.
    """

    def __init__(self, upstream: Address) -> None:
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self._closed = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._armed: _Armed | None = None
        self.connections = 0
        self.cuts = 0
        self.sent = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        self._flowing.set()
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.break_off()
        await asyncio.sleep(0)  # who has just connected gets a handler, so that it is seen here
        if self._handlers:
            await asyncio.wait(self._handlers)

    @property
    def port(self) -> int:
        """Where clients connect, on 127.0.0.1."""
        if self._server is None:
            raise ValueError("the proxy does not listen: use it in `async with`")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def arm(self, cut: Cut) -> asyncio.Event:
        """Cut once, at the next such moment; replaces a cut that has not happened yet.

        Returns:
            Set when it has happened.
        """
        self._armed = _Armed(cut)
        return self._armed.fired

    def disarm(self) -> None:
        """Forget a cut that has not happened."""
        self._armed = None

    def cut_all(self) -> None:
        """Break every connection now."""
        for link in list(self._links):
            self.cuts += 1
            link.break_off()

    def stall(self) -> None:
        """Pass nothing on from now, as a network does that has died silently; connections stay open."""
        self._flowing.clear()

    def flow(self) -> None:
        """End a stall: what was held back goes on."""
        self._flowing.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handlers are tasks of ours, so that none outlives the block."""
        handler = asyncio.create_task(self._serve(reader, writer))
        self._handlers.add(handler)
        handler.add_done_callback(self._handlers.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            up_reader, up_writer = await self._connect()
        except OSError:  # the client sees what it would see without us: nobody there
            writer.transport.abort()
            return
        link = _Link(self, writer, up_writer)
        self._links.add(link)
        try:
            if not self._closed:
                await link.pass_on(reader, up_reader)
        finally:
            link.break_off()
            self._links.discard(link)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._upstream, Path):
            return await asyncio.open_unix_connection(str(self._upstream))
        return await asyncio.open_connection(*self._upstream)

    async def until_flowing(self) -> None:
        """Wait while the proxy is stalled."""
        await self._flowing.wait()

    def armed(self) -> _Armed | None:
        """The cut that waits for its moment."""
        return self._armed

    def fire(self, armed: _Armed) -> None:
        """The moment has come."""
        if self._armed is armed:
            self._armed = None
        self.cuts += 1
        armed.fired.set()


class _Link:
    """One connection through the proxy."""

    def __init__(
        self, proxy: Proxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._tail = b""
        self._met: _Armed | None = None
        self._left = 0

    def break_off(self) -> None:
        """End both halves; what the server has been sent still arrives."""
        self._client.transport.abort()
        self._server.close()

    async def pass_on(self, client: asyncio.StreamReader, server: asyncio.StreamReader) -> None:
        """Both directions until either side, or the proxy, ends the connection."""
        halves = {
            asyncio.create_task(self._requests(client)),
            asyncio.create_task(self._answers(server)),
        }
        try:
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for half in halves:
                half.cancel()
            ended, _ = await asyncio.wait(halves)
        for half in ended:
            error = None if half.cancelled() else half.exception()
            if error is not None and not isinstance(error, ConnectionError):
                raise error

    async def _requests(self, client: asyncio.StreamReader) -> None:
        while chunk := await client.read(_CHUNK):
            self._proxy.sent += len(chunk)
            await self._proxy.until_flowing()
            passing = self._share(chunk)
            self._server.write(chunk[:passing])
            await self._server.drain()
            if self._met is not None and not self._met.cut.answered and self._left <= 0:
                self._proxy.fire(self._met)
                return

    def _share(self, chunk: bytes) -> int:
        """How many bytes of the client's chunk may pass."""
        if self._met is None and not self._meet(chunk):
            return len(chunk)
        if self._met is None or self._met.cut.answered:
            return len(chunk)
        passing = min(len(chunk), max(self._left, 0))
        self._left -= len(chunk)
        return passing

    def _meet(self, chunk: bytes) -> bool:
        """Look for the marker, also where two chunks share it; sets what may pass, counted from this chunk's start."""
        armed = self._proxy.armed()
        if armed is None:
            self._tail = b""
            return False
        seen = self._tail + chunk
        at = seen.find(armed.cut.marker)
        keep = len(armed.cut.marker) - 1
        begins = at - len(self._tail)
        self._tail = seen[-keep:] if keep > 0 else b""
        if at < 0:
            return False
        self._met = armed
        self._left = begins + armed.cut.passing
        return True

    async def _answers(self, server: asyncio.StreamReader) -> None:
        while chunk := await server.read(_CHUNK):
            await self._proxy.until_flowing()
            if self._met is not None and self._met.cut.answered:
                self._proxy.fire(self._met)
                return
            self._client.write(chunk)
            await self._client.drain()
