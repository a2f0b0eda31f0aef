"""Answers that have not changed are not sent again: ETag and If-None-Match."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from acd.web.answers import JSON

_KEPT = frozenset({"etag", "cache-control", "vary", "date"})


class Freshness:
    """ASGI middleware that gives whole JSON answers to GET an ETag, and 304 to whoever has that one already.

    The tag is a hash of the bytes before they are compressed: weak, because the same answer may go out in two ways.
    Streams and answers that are no success pass through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; hold the beginning of the answer back until its whole body is there."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        known = Headers(scope=scope).getlist("if-none-match")
        held: Message | None = None

        async def tagged(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _taggable(message):
                held = message
                return
            if held is not None:
                start, held = held, None
                if message.get("more_body"):
                    await send(start)
                else:
                    message = _tag(start, message, known)
                    await send(start)
            await send(message)

        await self.app(scope, receive, tagged)


def _taggable(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return start["status"] == 200 and headers.get("content-type", "").split(";")[0] == JSON


def _tag(start: Message, body: Message, known: list[str]) -> Message:
    """Put the tag on; where the asker has it, make a 304 of the answer."""
    headers = MutableHeaders(raw=start["headers"])
    tag = f'W/"{hashlib.blake2b(body["body"], digest_size=12).hexdigest()}"'
    headers["ETag"] = tag
    headers.setdefault("Cache-Control", "private, no-cache")
    if not _has(tag, known):
        return body
    start["status"] = 304
    start["headers"] = [pair for pair in headers.raw if pair[0].decode("latin-1") in _KEPT]
    return {**body, "body": b""}


def _has(tag: str, known: list[str]) -> bool:
    """Compared weakly (RFC 9110, 13.1.2): what the asker has may be written with or without `W/`."""
    given = {each.strip().removeprefix("W/") for line in known for each in line.split(",")}
    return "*" in given or tag.removeprefix("W/") in given
