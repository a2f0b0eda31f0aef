"""uvicorn's protocol for HTTP/1.1, with answers that leave in one piece.

uvicorn writes the head of an answer and its body apart, each a system call and a packet, and on loopback a change of
processes: a third of the server's time for small answers. What is written in one turn of the event loop goes out
together at its end.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_ENOUGH = 64 * 1024


class WholeAnswers(H11Protocol):
    """To be given to `uvicorn.Config(http=…)`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Write through a transport that waits for the end of the turn."""
        super().connection_made(_Gathering(transport))


class _Gathering(asyncio.Transport):
    """A transport on another one; what it holds back is never more than some 64 KB beyond one write."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold data back until the end of this turn of the event loop."""
        if not self._held:
            asyncio.get_running_loop().call_soon(self._flush)
        self._held.append(bytes(data))
        self._size += len(data)
        if self._size >= _ENOUGH:
            self._flush()

    def _flush(self) -> None:
        held, self._held, self._size = b"".join(self._held), [], 0
        if held and not self._transport.is_closing():
            self._transport.write(held)

    def close(self) -> None:
        """Close when everything is written."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closed or being closed."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as asyncio has it
        """See asyncio."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """See asyncio."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """See asyncio."""
        self._transport.resume_reading()

    def is_reading(self) -> bool:
        """See asyncio."""
        return self._transport.is_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See asyncio."""
        self._transport.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See asyncio."""
        return self._transport.get_protocol()
