"""Answers on the wire: small ones in one piece, large ones whole, also to a reader that takes its time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from acd.web.protocol import WholeAnswers

LARGE = bytes(range(256)) * 40_000


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """`/small`: head and body; `/large`: ten megabytes in parts."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/large":
        for start in range(0, len(LARGE), 50_000):
            part = LARGE[start : start + 50_000]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await send({"type": "http.response.body", "body": b"small"})


@asynccontextmanager
async def answering(protocol: type[asyncio.Protocol]) -> AsyncIterator[int]:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(_app, http=protocol, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await serving


async def ask(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return reader, writer


class Wire(asyncio.Transport):
    """What is written to it, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("protocol", "pieces"), [(WholeAnswers, 1), (H11Protocol, 3)])
async def test_a_small_answer_leaves_in_one_piece(protocol: type[H11Protocol], pieces: int) -> None:
    """The second case is the control: uvicorn's own protocol writes head, body and end apart."""
    config = uvicorn.Config(_app, lifespan="off", log_config=None)
    config.load()
    wire = Wire()
    asked = protocol(config, ServerState(), {})
    asked.connection_made(wire)
    asked.data_received(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(30):
        while not any(one.endswith(b"0\r\n\r\n") for one in wire.writes):
            await asyncio.sleep(0)
    asked.connection_lost(None)
    assert len(wire.writes) == pieces
    assert b"small" in b"".join(wire.writes)


@pytest.mark.parametrize("pause_s", [0.0, 0.01])
async def test_a_large_answer_is_whole(pause_s: float) -> None:
    async with answering(WholeAnswers) as port:
        reader, writer = await ask(port, "/large")
        await reader.readuntil(b"\r\n\r\n")
        got = bytearray()
        while True:  # chunked: a length in hexadecimal, the bytes, an end of line
            size = int(await reader.readline(), 16)
            got += (await reader.readexactly(size + 2))[:-2]
            if not size:
                break
            await asyncio.sleep(pause_s)
        writer.close()
    assert bytes(got) == LARGE


async def test_an_asker_that_goes_away_holds_nothing_up() -> None:
    async with answering(WholeAnswers) as port:
        _, gone = await ask(port, "/large")
        gone.close()
        reader, writer = await ask(port, "/small")
        assert b"small" in await reader.read()
        writer.close()
