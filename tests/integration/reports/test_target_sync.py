"""The sync route, as the mission names it: POST /api/db/targets/sync reads repo-queue.json into `targets`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from acd.core.environment import load_settings
from acd.core.errors import DatabaseAway
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.sync import SyncResult
from acd.server import create_app


@pytest.fixture
def queue_file(tmp_path: Path) -> Path:
    return tmp_path / "repo-queue.json"


@pytest.fixture
async def client(database: Database, settings: Settings, queue_file: Path) -> httpx.AsyncClient:
    app = create_app(database, load_settings(home=settings.home, queue_file=queue_file))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:3434")


def write_queue(file: Path, repos: list[dict[str, Any]]) -> None:
    file.write_text(json.dumps({"version": "1.1", "repos": repos}))


async def test_targets_of_the_file_are_there_after_a_sync(
    client: httpx.AsyncClient, queue_file: Path
) -> None:
    entry = {"id": "shop-api", "name": "Shop API", "path": "../shop-api", "priority": 3}
    write_queue(queue_file, [entry, {"id": "docs", "path": "docs", "priority": -1}])
    answer = await client.post("/api/db/targets/sync")
    assert answer.status_code == 200
    told = answer.json()["data"]
    assert told["synced"] is True
    assert (told["summary"]["total"], told["summary"]["added"]) == (2, 2)
    assert told["warnings"] == []

    targets = (await client.get("/api/db/targets")).json()["data"]
    assert [(t["repoId"], t["priority"]) for t in targets] == [("docs", -1), ("shop-api", 3)]
    assert targets[1]["name"] == "Shop API"
    assert targets[1]["sessions"] == []
    assert (await client.get("/api/db/features/docs")).json() == {"data": []}


async def test_a_second_sync_takes_over_what_changed(
    client: httpx.AsyncClient, queue_file: Path
) -> None:
    write_queue(queue_file, [{"id": "docs", "path": "docs", "priority": 9}])
    await client.post("/api/db/targets/sync")
    write_queue(queue_file, [{"id": "docs", "path": "docs", "priority": 2, "enabled": False}])
    assert (await client.post("/api/db/targets/sync")).status_code == 200
    (docs,) = (await client.get("/api/db/targets")).json()["data"]
    assert (docs["priority"], docs["enabled"]) == (2, False)


async def test_a_bad_entry_is_named_and_the_rest_is_taken(
    client: httpx.AsyncClient, queue_file: Path
) -> None:
    write_queue(queue_file, [{"id": "broken"}, {"id": "docs", "path": "docs"}])
    told = (await client.post("/api/db/targets/sync")).json()["data"]
    assert told["summary"]["skipped"] == 1
    assert any("broken" in warning for warning in told["warnings"])
    targets = (await client.get("/api/db/targets")).json()["data"]
    assert [target["repoId"] for target in targets] == ["docs"]


@pytest.mark.parametrize("content", [None, "{not json"])
async def test_a_file_that_cannot_be_used_changes_nothing_and_says_why(
    client: httpx.AsyncClient, queue_file: Path, content: str | None
) -> None:
    write_queue(queue_file, [{"id": "docs", "path": "docs"}])
    await client.post("/api/db/targets/sync")
    queue_file.unlink()
    if content:
        queue_file.write_text(content)
    answer = await client.post("/api/db/targets/sync")
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "config"
    assert "repo-queue.json" in error["message"]
    assert len((await client.get("/api/db/targets")).json()["data"]) == 1


async def test_while_the_database_is_away_a_sync_is_503(
    database: Database, settings: Settings
) -> None:
    async def sync(_db: Database, _settings: Settings) -> SyncResult:
        raise DatabaseAway("connection refused")

    transport = httpx.ASGITransport(create_app(database, settings, sync=sync))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/api/db/targets/sync")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


async def test_sync_cannot_be_had_by_get(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/db/targets/sync")).status_code == 405


async def test_a_foreign_page_cannot_sync(client: httpx.AsyncClient, queue_file: Path) -> None:
    write_queue(queue_file, [{"id": "docs", "path": "docs"}])
    answer = await client.post("/api/db/targets/sync", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert (await client.get("/api/db/targets")).json()["data"] == []
