"""The endpoint: takes requests, asks the script, answers, and keeps its ledger."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self
from uuid import uuid4

import msgspec

from acd.testing.endpoint import http, wire
from acd.testing.endpoint.replies import (
    Json,
    Refusal,
    Reply,
    Request,
    Script,
    ToolUse,
    script_named_in,
)
from acd.testing.endpoint.served import Served, ServedTotals, price, total
from acd.testing.prices import full_name

ANY = "*"
_BEFORE_CLOSING = 0.2
_BETWEEN_PINGS = 0.2
_MAX_BODY_LINE = 2**20


class Endpoint:
    """A scripted Messages API on loopback, an async context manager.

    The script of a conversation is the one that its prompt names (`SCRIPT:name`), else the one in the address
    (`/s/name/v1/messages`), else `*`.
    """

    def __init__(
        self, scripts: Mapping[str, Script], *, port: int = 0, ledger: Path | None = None
    ) -> None:
        self._scripts = scripts
        self._port = port
        self._ledger = ledger
        self._name = uuid4().hex[:12]
        self._count = 0
        self._refused: Counter[tuple[str, int, int]] = Counter()
        self._cuts: Counter[tuple[str, int]] = Counter()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self.served: list[Served] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self._port, limit=_MAX_BODY_LINE
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._connections):
                writer.transport.abort()
            await self._server.wait_closed()

    def url(self, script: str | None = None) -> str:
        """Base address, as for `ANTHROPIC_BASE_URL`; with `script`, the one that answers with it."""
        base = f"http://127.0.0.1:{self._port}"
        return f"{base}/s/{script}" if script else base

    def totals(self) -> ServedTotals:
        """Everything served so far."""
        return total(self.served)

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        if self._server is not None:
            await self._server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while request := await http.read_request(reader):
                if not await self._answer(request, writer):
                    break
        except ConnectionError:
            # The client went away in the middle of an answer: agents get killed in tests.
            writer.transport.abort()
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, request: http.HttpRequest, writer: asyncio.StreamWriter) -> bool:
        """Answer; False where the connection is to be broken off."""
        path = request.path.partition("?")[0]
        if request.method == "HEAD":
            await http.send_whole(writer, 200, {}, b"")
            return True
        if request.method != "POST" or not path.endswith("/v1/messages"):
            await http.send_whole(writer, 404, {}, b'{"type":"error"}')
            return True
        asked = self._read(path, request)
        move = self._choose(asked)
        if isinstance(move, Refusal):
            return await self._refuse(move, asked, writer)
        await asyncio.sleep(move.delay)
        return await self._reply(move, asked, writer)

    def _read(self, path: str, request: http.HttpRequest) -> Request:
        body = msgspec.json.decode(request.body)
        parts = path.split("/")
        addressed = parts[2] if parts[1] == "s" else ANY
        asked = Request(addressed, body, dict(request.headers))
        named = script_named_in(asked.prompt)
        if named is None or named not in self._scripts:
            return asked
        return msgspec.structs.replace(asked, script=named)

    def _choose(self, asked: Request) -> Reply | Refusal:
        script = self._scripts.get(asked.script, self._scripts.get(ANY))
        if script is None:
            return Refusal(status=404, message=f"no script {asked.script!r}")
        if callable(script):
            move = script(asked)
            if isinstance(move, Refusal):
                return move
        else:
            move = script[min(asked.turn, len(script) - 1)]
        return self._refusal_of(move, asked) or move

    def _refusal_of(self, reply: Reply, asked: Request) -> Refusal | None:
        for index, refusal in enumerate(reply.refusals):
            if refusal.models is not None and asked.model not in refusal.models:
                continue
            key = (asked.conversation, asked.turn, index)
            if refusal.times is None or self._refused[key] < refusal.times:
                self._refused[key] += 1
                return refusal
        return None

    async def _refuse(self, refusal: Refusal, asked: Request, writer: asyncio.StreamWriter) -> bool:
        request_id = self._next_id("req")
        self._enter(
            Served(
                request_id=request_id,
                script=asked.script,
                turn=asked.turn,
                model=asked.model,
                status=refusal.status,
                streamed=asked.body.get("stream") is True,
                complete=False,
                session_id=asked.session_id,
            )
        )
        if refusal.status == 0:
            return False
        headers = {"request-id": request_id} | wire.limit_headers(refusal.limit) | refusal.headers
        body = msgspec.json.encode(wire.error_json(refusal, request_id))
        await http.send_whole(writer, refusal.status, headers, body)
        return True

    async def _reply(self, reply: Reply, asked: Request, writer: asyncio.StreamWriter) -> bool:
        message_id, request_id = self._next_id("msg"), self._next_id("req")
        streamed = asked.body.get("stream") is True
        cut = streamed and self._is_cut(reply, asked)
        model = full_name(reply.model or asked.model)
        told = msgspec.structs.replace(reply.usage, output_tokens=1) if cut else reply.usage
        self._enter(
            Served(
                request_id=request_id,
                script=asked.script,
                turn=asked.turn,
                model=model,
                status=200,
                streamed=streamed,
                complete=not cut,
                session_id=asked.session_id,
                message_id=message_id,
                tokens=told,
                cost_usd=None if cut else price(model, told),
                tools=[b.name for b in reply.blocks if isinstance(b, ToolUse)],
            )
        )
        headers = {"request-id": request_id} | wire.limit_headers(reply.limit)
        message = wire.message_json(message_id, model, reply)
        if not streamed:
            await http.send_whole(writer, 200, headers, msgspec.json.encode(message))
            return True
        return await self._stream(reply, message, headers, cut, writer)

    async def _stream(
        self,
        reply: Reply,
        message: Json,
        headers: dict[str, str],
        cut: bool,
        writer: asyncio.StreamWriter,
    ) -> bool:
        last = "content_block_stop" if reply.cut_after_block else "content_block_delta"
        await http.send_stream_head(writer, headers)
        for event in wire.events(message, reply.usage):
            await http.send_event(writer, event["type"], event)
            if cut and event["type"] == last:
                if reply.cut == "close":
                    # Else the client may see the end before it has read what came before it.
                    await asyncio.sleep(_BEFORE_CLOSING)
                    return False
                if reply.cut == "stall":
                    await _ping(writer)
                broken = {"type": "overloaded_error", "message": "Overloaded"}
                await http.send_event(writer, "error", {"type": "error", "error": broken})
                break
        await http.end_stream(writer)
        return True

    def _is_cut(self, reply: Reply, asked: Request) -> bool:
        key = (asked.conversation, asked.turn)
        if reply.cut is None or self._cuts[key] >= reply.cut_times:
            return False
        self._cuts[key] += 1
        return True

    def _next_id(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._name}{self._count:06d}"

    def _enter(self, served: Served) -> None:
        self.served.append(served)
        if self._ledger is not None:
            with self._ledger.open("ab") as ledger:
                ledger.write(msgspec.json.encode(served) + b"\n")


async def _ping(writer: asyncio.StreamWriter) -> NoReturn:
    """Send what the real API sends while nothing happens, until the client has gone.

    Raises:
        ConnectionError: it has.
    """
    while not writer.is_closing():
        await http.send_event(writer, "ping", {"type": "ping"})
        await asyncio.sleep(_BETWEEN_PINGS)
    raise ConnectionAbortedError
