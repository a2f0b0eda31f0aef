"""A queue to work, and a client that may control it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.ending import Ending
from acd.queue.orchestrator import RunOptions, RunResult, work_queue
from acd.server import create_app
from acd.web.token import read_or_make_token
from tests.data.queue.place import Place, Seen


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


def controller_of(database: Database, settings: Settings) -> httpx.AsyncClient:
    app = create_app(database, settings)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://localhost:3434",
        headers={"Authorization": f"Bearer {read_or_make_token(settings.home)}"},
    )


@pytest.fixture
async def controller(database: Database, place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with controller_of(database, place.settings) as client:
        yield client


async def told(client: httpx.AsyncClient, order: str) -> str:
    answer = await client.post(f"/api/queue/{order}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["state"])


@asynccontextmanager
async def running(
    database: Database,
    place: Place,
    seen: Seen,
    **options: Any,  # noqa: ANN401 - RunOptions
) -> AsyncIterator[asyncio.Task[RunResult]]:
    """A run of the queue in this loop; it is ended at once when it is still there at the end."""
    ending = Ending()
    work = work_queue(database, place.settings, RunOptions(**options), observer=seen, ending=ending)
    run = asyncio.create_task(work)
    try:
        yield run
    finally:
        ending.stop_at_once()
        await run


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
