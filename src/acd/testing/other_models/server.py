"""The endpoint: takes requests, answers with the next step of its script, and remembers what it served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec

from acd.testing.endpoint import http
from acd.testing.other_models.google import gemini_answer, gemini_asked
from acd.testing.other_models.openai import (
    chat_asked,
    chat_chunks,
    chat_whole,
    responses_asked,
    responses_events,
)
from acd.testing.other_models.script import Asked, Json, Say, ServedRequest, Step, Tokens

_LONGEST_LINE = 2**20
_ASIDE: Step = (Say("A title"), Tokens(fresh=7, output=3))


class OtherEndpoint:
    """Answers a conversation by how many results of tools it holds already: the first step, the second, and so on.

    A request that offers no tools is answered with a few words beside the script. Each request costs one fresh token more
    than the one before, so that no two are alike.
    """

    def __init__(self, script: Sequence[Step]) -> None:
        self._script = list(script)
        self.served: list[ServedRequest] = []
        self.unknown: list[str] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """The endpoint on loopback while the block runs; yields its address."""
        connections: set[asyncio.StreamWriter] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.add(writer)
            try:
                await self._serve(reader, writer)
            except ConnectionError:
                self.unknown.append("a connection that broke")
            finally:
                connections.discard(writer)
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=_LONGEST_LINE)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for writer in list(connections):
                writer.transport.abort()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await http.read_request(reader)) is not None:
            asked = _asked(request)
            if asked is None:
                self.unknown.append(f"{request.method} {request.path}")
                await http.send_whole(writer, 404, {}, b'{"error":{"message":"not here"}}')
                continue
            step = self._next(asked)
            self.served.append(ServedRequest(asked.api, asked.model, step[1], not asked.tools))
            await _answer(writer, asked, step, uuid4().hex[:16])

    def _next(self, asked: Asked) -> Step:
        """The step of the conversation, with figures like no other's."""
        step = self._script[min(asked.results, len(self._script) - 1)]
        answer, tokens = step if asked.tools else _ASIDE
        fresh = tokens.fresh + len(self.served)
        return answer, msgspec.structs.replace(tokens, fresh=fresh)


def _asked(request: http.HttpRequest) -> Asked | None:
    if request.method != "POST":
        return None
    path = request.path.partition("?")[0]
    known = path.endswith(("/responses", "/chat/completions")) or "enerateContent" in path
    if not known:
        return None
    body: Json = msgspec.json.decode(request.body)
    if path.endswith("/responses"):
        return responses_asked(body)
    return chat_asked(body) if path.endswith("/completions") else gemini_asked(path, body)


async def _answer(writer: asyncio.StreamWriter, asked: Asked, step: Step, name: str) -> None:
    match asked.api, asked.stream:
        case "responses", _:
            events = [(each["type"], each) for each in responses_events(asked, step, name)]
            await _stream(writer, events, end=b"")
        case "chat", True:
            await _stream(writer, [("", each) for each in chat_chunks(asked, step, name)])
        case "chat", False:
            await _whole(writer, chat_whole(asked, step, name))
        case _, True:
            await _stream(writer, [("", gemini_answer(asked, step))], end=b"")
        case _:
            await _whole(writer, gemini_answer(asked, step))


async def _whole(writer: asyncio.StreamWriter, answer: Json) -> None:
    await http.send_whole(writer, 200, {}, msgspec.json.encode(answer))


async def _stream(
    writer: asyncio.StreamWriter,
    events: Iterable[tuple[str, Json]],
    end: bytes = b"data: [DONE]\n\n",
) -> None:
    await http.send_stream_head(writer, {})
    for name, data in events:
        head = f"event: {name}\n".encode() if name else b""
        await _chunk(writer, head + b"data: %s\n\n" % msgspec.json.encode(data))
    if end:
        await _chunk(writer, end)
    await http.end_stream(writer)


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))
    await writer.drain()
