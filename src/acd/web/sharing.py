"""Readers who ask the same at the same time are answered together: see `acd.database.sharing`.

The one who asks first goes through routes and reports; the others get the bytes of the next one's answer. What an
answer depends on is the question: path, query and the headers named here. Nothing is kept once it is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from acd.database.sharing import Sharing

# Routes that answer at once and the same to everybody who asks the same; streams are none of them. A page shows what its
# reader may change, who is known by a cookie or the token.
_SHARED = (
    *("/api/db/", "/api/targets/", "/api/reports/", "/api/health", "/api/queue", "/api/glance"),
    *("/metrics", "/targets", "/sessions", "/cost", "/models", "/errors", "/queue"),
)
_SHARED_ALONE = "/"
_ASKING = frozenset({"GET", "HEAD", "OPTIONS"})
_TELLING = frozenset({b"accept", b"accept-encoding", b"if-none-match", b"cookie", b"authorization"})


class _Answer(NamedTuple):
    start: Message
    body: bytes


class SharedAnswers:
    """ASGI middleware inside the guard, so that everybody who is answered was let in.

    `changed` is called when an order was carried out, before it is answered: what is asked after that sees what it did.
    """

    def __init__(self, app: ASGIApp, changed: Callable[[], None]) -> None:
        self.app = app
        self._changed = changed
        # Nobody waits for a second time limit: who came while one was waiting for a database hears the same.
        self._sharing = Sharing[_Answer](lambda answer: answer.start["status"] == 503)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or wait for the answer to the same one."""
        if scope["type"] == "http" and scope["method"] not in _ASKING:
            await self.app(scope, receive, self._announcing(send))
            return
        shared = scope["type"] == "http" and scope["method"] == "GET"
        path = scope["path"] if shared else ""
        if path != _SHARED_ALONE and not path.startswith(_SHARED):
            await self.app(scope, receive, send)
            return
        telling = tuple(pair for pair in scope["headers"] if pair[0] in _TELLING)
        question = (scope["path"], scope["query_string"], telling)
        answer = await self._sharing.ask(question, lambda: self._read(scope))
        # Others add their headers to the same answer.
        await send({**answer.start, "headers": list(answer.start["headers"])})
        await send({"type": "http.response.body", "body": answer.body})

    def _announcing(self, send: Send) -> Send:
        async def announce(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._changed()
            await send(message)

        return announce

    async def _read(self, scope: Scope) -> _Answer:
        start: Message = {}
        body: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.append(message.get("body", b""))

        await self.app(dict(scope), _nothing_more(), keep)
        return _Answer(start, b"".join(body))


def _nothing_more() -> Receive:
    """A request without a body whose asker never goes away: others wait for the answer too."""
    told = False

    async def receive() -> Message:
        nonlocal told
        if told:
            await asyncio.Event().wait()
        told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive
