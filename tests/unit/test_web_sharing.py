"""Readers of the same at the same time are answered together, each after its own question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from acd.web.sharing import SharedAnswers


class Stage:
    """An application whose answers count up, each given when the test lets it."""

    def __init__(self) -> None:
        self.asked = 0
        self.changes = 0
        self.status = 200
        self.open = asyncio.Event()
        routes = [Route("/{path:path}", self._answer, methods=["GET", "POST"])]
        self.app = SharedAnswers(Starlette(routes=routes), self._change)

    def _change(self) -> None:
        self.changes += 1

    async def _answer(self, request: Request) -> Response:
        self.asked += 1
        own, status = self.asked, self.status
        await self.open.wait()
        return Response(f"{own}", status_code=status, headers={"X-Path": request.url.path})


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(stage.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def begun(*asking: asyncio.Task[httpx.Response]) -> None:
    """Let those who ask get as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


def asking(
    client: httpx.AsyncClient, path: str, times: int = 1, headers: dict[str, str] | None = None
) -> list[asyncio.Task[httpx.Response]]:
    return [asyncio.create_task(client.get(path, headers=headers)) for _ in range(times)]


async def test_fifty_readers_cost_two_answers(stage: Stage, client: httpx.AsyncClient) -> None:
    first = asking(client, "/api/db/sessions?limit=10")
    await begun(*first)
    others = asking(client, "/api/db/sessions?limit=10", 50)
    await begun(*others)
    stage.open.set()
    answers = await asyncio.gather(*first, *others)
    assert [answer.text for answer in answers] == ["1"] + ["2"] * 50
    assert {answer.headers["x-path"] for answer in answers} == {"/api/db/sessions"}
    assert stage.asked == 2


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/db/sessions?limit=11", {}),
        ("/api/db/targets?limit=10", {}),
        ("/api/db/sessions?limit=10", {"if-none-match": "x"}),
        ("/api/db/sessions?limit=10", {"accept-encoding": "br"}),
        ("/api/db/sessions?limit=10", {"cookie": "acd-1=x"}),
        ("/api/db/sessions?limit=10", {"authorization": "Bearer x"}),
    ],
)
async def test_what_is_asked_differently_is_answered_apart(
    stage: Stage, client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    both = asking(client, "/api/db/sessions?limit=10") + asking(client, path, headers=headers)
    await begun(*both)
    assert stage.asked == 2
    stage.open.set()
    await asyncio.gather(*both)


@pytest.mark.parametrize("path", ["/api/events", "/api/export/sessions", "/static/x"])
async def test_streams_and_files_are_not_shared(
    stage: Stage, client: httpx.AsyncClient, path: str
) -> None:
    tasks = asking(client, path, 3)
    await begun(*tasks)
    assert stage.asked == 3
    stage.open.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("path", ["/", "/queue", "/cost?days=7"])
async def test_pages_are_shared(stage: Stage, client: httpx.AsyncClient, path: str) -> None:
    tasks = asking(client, path, 3)
    await begun(*tasks)
    stage.open.set()
    await asyncio.gather(*tasks)
    assert stage.asked == 2


async def test_orders_are_not_shared_and_are_told_of_before_they_are_answered(
    stage: Stage, client: httpx.AsyncClient
) -> None:
    tasks = [asyncio.create_task(client.post("/api/queue")) for _ in range(3)]
    await begun(*tasks)
    assert (stage.asked, stage.changes) == (3, 0)
    stage.open.set()
    await asyncio.gather(*tasks)
    assert stage.changes == 3


async def test_who_only_asks_changes_nothing(stage: Stage, client: httpx.AsyncClient) -> None:
    stage.open.set()
    await client.get("/api/queue")
    await client.get("/static/x")
    assert stage.changes == 0


async def test_without_a_database_nobody_waits_twice(
    stage: Stage, client: httpx.AsyncClient
) -> None:
    stage.status = 503
    tasks = asking(client, "/api/health")
    await begun(*tasks)
    tasks += asking(client, "/api/health", 3)
    await begun(*tasks)
    stage.status = 200
    stage.open.set()
    assert [answer.status_code for answer in await asyncio.gather(*tasks)] == [503] * 4
    assert (await client.get("/api/health")).status_code == 200
