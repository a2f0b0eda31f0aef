"""Routes that read more than one row can tell, or that change one: timelines, resolved errors, feature lists."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import httpx
import psycopg
import pytest

from acd.core.models import target_id_of
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.file import read_queue_file
from acd.queue.sync import sync_queue_file
from acd.server import create_app

ERROR = "e0000000-0000-0000-0000-000000000001"
NOBODY = "00000000-0000-0000-0000-000000000000"


async def test_the_timeline_is_in_order(client: httpx.AsyncClient) -> None:
    path = "/api/db/sessions/50000000-0000-0000-0000-000000000007/events"
    body = (await client.get(path)).json()
    assert [event["seq"] for event in body["data"]] == [10, 20, 30]
    assert body["data"][0] == {
        "seq": 10,
        "kind": "tool_used",
        "occurredAt": None,
        "toolName": "Read",
        "toolUseId": None,
        "subagent": None,
        "durationMs": None,
        "outcome": None,
        "text": "",
    }
    quiet = await client.get("/api/db/sessions/50000000-0000-0000-0000-000000000001/events")
    assert quiet.json() == {"data": [], "nextCursor": None}
    assert (await client.get(f"/api/db/sessions/{NOBODY}/events")).status_code == 404


async def test_an_error_is_resolved_once(client: httpx.AsyncClient, token: dict[str, str]) -> None:
    path = f"/api/db/errors/{ERROR}/resolve"
    assert (await client.post(path)).status_code == 401
    (before, _) = (await client.get("/api/db/errors")).json()["data"]
    assert before["id"] == ERROR
    first = (await client.post(path, headers=token)).json()["data"]
    assert first == before | {"resolved": True, "resolvedAt": first["resolvedAt"]}
    again = (await client.post(path, headers=token)).json()["data"]
    assert again == first, "the time is that of the first call"
    assert ERROR not in [row["id"] for row in (await client.get("/api/db/errors")).json()["data"]]
    missing = await client.post(f"/api/db/errors/{NOBODY}/resolve", headers=token)
    assert missing.status_code == 404


@pytest.fixture
async def shop(database: Database, settings: Settings, tmp_path: Path) -> Path:
    """The folder of a target that a queue file of this machine names."""
    repository = tmp_path / "shop"
    repository.mkdir()
    queue_file = tmp_path / "queue" / "repo-queue.json"
    queue_file.parent.mkdir()
    entry = {"id": "org/shop", "name": "Shop", "path": str(repository)}
    queue_file.write_text(json.dumps({"repos": [entry]}))
    await sync_queue_file(database, read_queue_file(queue_file), socket.gethostname())
    return repository


@pytest.fixture
def own(database: Database, settings: Settings) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(database, settings))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_a_feature_list_is_read_when_asked(own: httpx.AsyncClient, shop: Path) -> None:
    async with own as client:
        path = "/api/db/features/sync/org/shop"
        assert (await client.post(path)).json() == {"data": {"synced": 0}}, "there is no list yet"
        features = [{"id": name, "name": name, "passes": name == "a"} for name in "abc"]
        (shop / "feature_list.json").write_text(json.dumps(features))
        assert (await client.post(path)).json() == {"data": {"synced": 3}}
        listed = (await client.get("/api/db/features/org/shop")).json()["data"]
        assert [(row["featureKey"], row["passes"]) for row in listed] == [
            ("b", False),
            ("c", False),
            ("a", True),
        ]
        (shop / "feature_list.json").write_text(json.dumps(features[:2]))
        assert (await client.post(path)).json() == {"data": {"synced": 2}}

        (shop / "feature_list.json").write_text("{")
        refused = await client.post(path)
        assert refused.status_code == 422
        assert refused.json()["error"]["code"] == "feature_list"
        assert len((await client.get("/api/db/features/org/shop")).json()["data"]) == 2
        assert (await client.post("/api/db/features/sync/nobody")).status_code == 404


async def test_a_list_outside_of_its_repository_is_not_read(
    own: httpx.AsyncClient, shop: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    secret = tmp_path / "elsewhere" / "secret.json"
    secret.write_text('[{"id":"secret","name":"secret","passes":true}]')
    (shop / "feature_list.json").symlink_to(secret)
    async with own as client:
        refused = await client.post("/api/db/features/sync/org/shop")
        assert refused.status_code == 422
        assert (await client.get("/api/db/features/org/shop")).json()["data"] == []


async def test_a_repository_of_another_machine_is_left_alone(
    own: httpx.AsyncClient, shop: Path, database: Database
) -> None:
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        await connection.execute(
            "UPDATE targets SET queue_file = 'builder:/queue.json' WHERE id = %s",
            [target_id_of("org/shop")],
        )
    async with own as client:
        refused = await client.post("/api/db/features/sync/org/shop")
    assert refused.status_code == 409
    assert refused.json()["error"]["host"] == "builder"
