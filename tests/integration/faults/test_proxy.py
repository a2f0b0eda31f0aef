"""The proxy itself: the fault tests are worth what it is worth."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from acd.testing.proxy import Address, Cut, Proxy


class Echo:
    """A server that answers each piece with itself and remembers what reached it."""

    def __init__(self) -> None:
        self.heard = b""
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(100):
            self.heard += chunk
            writer.write(chunk)
        writer.close()
        self.ended.set()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture(params=["unix", "tcp"])
async def proxy(echo: Echo, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Proxy]:
    address: Address = tmp_path / "s"
    if request.param == "unix":
        server = await asyncio.start_unix_server(echo.serve, tmp_path / "s")
    else:
        server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
        address = ("127.0.0.1", server.sockets[0].getsockname()[1])
    async with Proxy(address) as proxy:
        yield proxy
    server.close()


async def ask(proxy: Proxy, *pieces: bytes) -> bytes:
    """Send the pieces, each after the answer to the one before; all that came back until the end or the cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    answers = b""
    for piece in pieces:
        writer.write(piece)
        answer = await answer_from(reader)
        if not answer:
            break
        answers += answer
    writer.close()
    return answers


async def answer_from(reader: asyncio.StreamReader) -> bytes:
    """The next answer; none when the connection was cut, which may arrive as a reset."""
    try:
        return await reader.read(100)
    except ConnectionError:
        return b""


async def test_without_a_fault_everything_passes(proxy: Proxy) -> None:
    assert await ask(proxy, b"one", b"two") == b"onetwo"
    assert (proxy.connections, proxy.cuts, proxy.sent) == (1, 0, 6)


@pytest.mark.parametrize(
    ("cut", "heard", "answers"),
    [
        (Cut(b"COMMIT"), b"beginQ", b"begin"),
        (Cut(b"COMMIT", passing=2), b"beginQCO", b"begin"),
        (Cut(b"COMMIT", answered=True), b"beginQCOMMIT.", b"begin"),
        (Cut(passing=3), b"beg", b""),
        (Cut(b"nQCOM"), b"begin", b"begin"),  # it began in a piece that has passed
        (Cut(b"absent"), b"beginQCOMMIT.end", b"beginQCOMMIT.end"),
    ],
)
async def test_a_cut_falls_on_its_byte(
    proxy: Proxy, echo: Echo, cut: Cut, heard: bytes, answers: bytes
) -> None:
    fired = proxy.arm(cut)
    assert await ask(proxy, b"begin", b"QCOMMIT.", b"end") == answers
    await asyncio.wait_for(echo.ended.wait(), 30)
    assert echo.heard == heard
    assert fired.is_set() == (cut.marker != b"absent")
    assert proxy.cuts == fired.is_set()


async def test_a_cut_happens_once(proxy: Proxy) -> None:
    proxy.arm(Cut())
    assert await ask(proxy, b"one") == b""
    assert await ask(proxy, b"two") == b"two"


async def test_a_stall_holds_everything_back_until_it_ends(proxy: Proxy, echo: Echo) -> None:
    proxy.stall()
    asking = asyncio.create_task(ask(proxy, b"one"))
    while proxy.sent < 3:
        await asyncio.sleep(0.01)
    assert (echo.heard, asking.done()) == (b"", False)
    proxy.flow()
    assert await asking == b"one"


async def test_a_server_that_is_not_there_is_no_connection(tmp_path: Path) -> None:
    async with Proxy(tmp_path / "nobody") as proxy:
        assert await ask(proxy, b"one") == b""


async def test_cut_all_breaks_what_is_open(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"one")
    assert await reader.read(100) == b"one"
    proxy.cut_all()
    assert await answer_from(reader) == b""
    writer.close()
