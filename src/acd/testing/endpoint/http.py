"""As much of HTTP/1.1 as a model endpoint needs, on asyncio streams: whole requests in, answers or event streams out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import msgspec


class HttpRequest(msgspec.Struct, frozen=True):
    """A request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    """The next request of a connection, None when the client has closed it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return None
    first, *rest = head.decode("latin-1").split("\r\n")
    method, path, _version = first.split(" ", 2)
    fields = (line.partition(":") for line in rest if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    try:
        body = await _read_body(reader, headers)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return HttpRequest(method, path, headers, body)


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    chunks = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        chunks.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(chunks)


async def send_whole(
    writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Send an answer of known length; the connection may go on."""
    sized = {"content-type": "application/json", "content-length": str(len(body))}
    writer.write(_head(status, sized | dict(headers)) + body)
    await writer.drain()


async def send_stream_head(writer: asyncio.StreamWriter, headers: Mapping[str, str]) -> None:
    """Begin a stream of server-sent events, chunked."""
    streaming = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    writer.write(_head(200, streaming | dict(headers)))
    await writer.drain()


async def send_event(writer: asyncio.StreamWriter, name: str, data: object) -> None:
    """Send one event as one chunk."""
    event = b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))
    writer.write(b"%x\r\n%s\r\n" % (len(event), event))
    await writer.drain()


async def end_stream(writer: asyncio.StreamWriter) -> None:
    """Send the last, empty chunk."""
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    known = {each.value: each.phrase for each in HTTPStatus}
    lines = [f"HTTP/1.1 {status} {known.get(status, 'Overloaded')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
