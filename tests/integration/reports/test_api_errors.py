"""What cannot be answered: each refusal has its status, names its field, and tells nothing of the inside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.sync import SyncResult
from acd.server import create_app
from acd.web.token import read_or_make_token


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/db/sessions?limit=0", "limit"),
        ("/api/db/sessions?limit=1001", "limit"),
        ("/api/db/sessions?limit=-1", "limit"),
        ("/api/db/sessions?limit=many", "limit"),
        ("/api/db/sessions?limit=99999999999999999999", "limit"),
        ("/api/db/sessions?status=asleep", "status"),
        ("/api/db/sessions?type=poetry", "type"),
        ("/api/db/sessions?since=yesterday", "since"),
        ("/api/db/sessions/not-a-uuid", "id"),
        ("/api/db/token-usage?sessionId=7", "sessionId"),
        ("/api/db/errors?resolved=maybe", "resolved"),
        ("/api/db/errors?limit=0", "limit"),
        ("/api/db/model-usage?days=0", "days"),
        ("/api/db/snapshots?days=1e9", "days"),
        ("/api/db/commits/shop-api?limit=0", "limit"),
        ("/api/db/targets?enabled=perhaps", "enabled"),
    ],
)
async def test_a_bad_value_is_422_and_named(
    client: httpx.AsyncClient, path: str, field: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["field"]) == ("invalid", field)
    assert field in error["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/db/features/nobody",
        "/api/db/commits/nobody",
        "/api/db/sessions/00000000-0000-0000-0000-000000000000",
        "/api/nothing",
        "/static/../server.py",
        "/static/%2e%2e/pages.py",
    ],
)
async def test_what_is_not_there_is_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


async def test_a_method_that_a_path_does_not_have_is_405(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    token = {"Authorization": f"Bearer {read_or_make_token(settings.home)}"}
    answer = await client.delete("/api/db/sessions", headers=token)
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path", ["/api/db/features/%00", "/api/db/sessions?repoId=a%00b", "/api/db/targets?q=%00"]
)
async def test_text_that_postgresql_cannot_hold_is_422(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid"


@pytest.fixture
async def unreachable(
    database: Database, settings: Settings
) -> AsyncIterator[tuple[httpx.AsyncClient, Database]]:
    """An API whose database is closed: every call of it raises DatabaseAway."""
    await database.close()
    transport = httpx.ASGITransport(create_app(database, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3434") as client:
        yield client, database


async def test_without_a_database_every_report_is_503_and_says_when_to_come_back(
    unreachable: tuple[httpx.AsyncClient, Database],
) -> None:
    client, _ = unreachable
    for path in (
        "/api/db/sessions",
        "/api/db/targets",
        "/api/db/features/x",
        "/api/targets/status",
    ):
        answer = await client.get(path)
        assert answer.status_code == 503, path
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["error"]["code"] == "database_away"


async def test_health_without_a_database_is_degraded(
    unreachable: tuple[httpx.AsyncClient, Database],
) -> None:
    answer = await unreachable[0].get("/api/health")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["status"] == "degraded"
    assert answer.json()["database"] == {"status": "away"}


async def test_the_page_without_a_database_says_so_in_words(
    unreachable: tuple[httpx.AsyncClient, Database],
) -> None:
    answer = await unreachable[0].get("/")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


async def test_an_error_of_our_own_shows_nothing_of_the_inside(
    database: Database, settings: Settings
) -> None:
    async def broken_sync(_db: Database, _settings: Settings) -> SyncResult:
        raise ZeroDivisionError("secret detail")

    transport = httpx.ASGITransport(
        create_app(database, settings, sync=broken_sync), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/api/db/targets/sync")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_many_at_once_are_all_answered(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.get("/api/db/sessions") for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
