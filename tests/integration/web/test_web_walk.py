"""Every route there is, asked without what it takes: none forgets to refuse."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from acd.core.settings import Settings
from acd.database.connection import Database
from tests.integration.web.conftest import QUERY, bound, calls_of, client_of


async def statuses(
    client: httpx.AsyncClient, app: FastAPI, *, headers: dict[str, str] | None = None
) -> dict[str, int]:
    found = {}
    for call in calls_of(app):
        answer = await client.request(call.method, f"{call.path}?{QUERY}", headers=headers)
        found[f"{call.method} {call.path}"] = answer.status_code
    assert len(found) > 30
    return found


async def test_beyond_loopback_every_route_needs_the_token(beyond: FastAPI) -> None:
    for host in ("acd.example", "localhost"):
        async with client_of(beyond, host) as client:
            found = await statuses(client, beyond)
        assert {name: status for name, status in found.items() if status != 401} == {}


async def test_always_means_every_route_on_loopback_too(
    database: Database, settings: Settings
) -> None:
    app = bound(database, settings, auth="always")
    async with client_of(app) as client:
        found = await statuses(client, app)
    assert {name: status for name, status in found.items() if status != 401} == {}


async def test_a_name_beyond_loopback_needs_the_token_whatever_is_bound(
    database: Database, settings: Settings
) -> None:
    """Behind a proxy of this machine the whole world comes from 127.0.0.1."""
    app = bound(database, settings, allowed_hosts="acd.example, other.example")
    for host in ("acd.example", "other.example", "127.0.0.1"):
        async with client_of(app, host) as client:
            assert (await client.get("/api/health")).status_code == 401


async def test_with_the_token_no_route_refuses(beyond: FastAPI, token: str) -> None:
    async with client_of(beyond, "acd.example") as client:
        found = await statuses(client, beyond, headers={"Authorization": f"Bearer {token}"})
    del found["GET /login"]
    assert {name: status for name, status in found.items() if status in (401, 403)} == {}


async def test_on_loopback_what_changes_something_needs_the_token(loopback: FastAPI) -> None:
    async with client_of(loopback) as client:
        found = await statuses(client, loopback)
    calls = {f"{call.method} {call.path}": call for call in calls_of(loopback)}
    refused = {name for name, status in found.items() if status == 401}
    assert refused == {name for name, call in calls.items() if not call.open} | {"GET /login"}
    assert sum(call.method in ("POST", "PUT") for call in calls.values()) > 5


async def test_a_new_route_is_closed_by_itself(loopback: FastAPI, beyond: FastAPI) -> None:
    """The control: nothing about a route has to be remembered."""
    router = APIRouter()

    @router.post("/api/new")
    @router.get("/api/new")
    @router.post("/api/db/targets/sync/new")
    @router.post("/api/db/targets/syncs")
    async def answer() -> str:
        return "open"

    for app in (loopback, beyond):
        app.include_router(router)
    async with client_of(loopback) as client:
        assert (await client.get("/api/new")).status_code == 200
        for path in ("/api/new", "/api/db/targets/sync/new", "/api/db/targets/syncs"):
            assert (await client.post(path)).status_code == 401
    async with client_of(beyond) as client:
        assert (await client.get("/api/new")).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "acd.example"])
async def test_a_foreign_host_is_refused_everywhere(
    loopback: FastAPI, token: str, host: str
) -> None:
    async with client_of(loopback, host) as client:
        found = await statuses(client, loopback, headers={"Authorization": f"Bearer {token}"})
    assert set(found.values()) == {403}


@pytest.mark.parametrize(
    "header", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_foreign_page_changes_nothing_even_with_the_token(
    loopback: FastAPI, token: str, header: dict[str, str]
) -> None:
    async with client_of(loopback) as client:
        for call in calls_of(loopback):
            if call.method in ("POST", "PUT", "DELETE", "PATCH"):
                headers = {"Authorization": f"Bearer {token}", **header}
                answer = await client.request(call.method, call.path, headers=headers)
                assert answer.status_code == 403, call


async def test_every_answer_has_the_security_headers(loopback: FastAPI, token: str) -> None:
    async with client_of(loopback) as client:
        for call in calls_of(loopback):
            answer = await client.request(call.method, f"{call.path}?{QUERY}")
            assert answer.headers["x-content-type-options"] == "nosniff", call
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], call
            assert answer.headers["cross-origin-resource-policy"] == "same-origin", call
            assert "access-control-allow-origin" not in answer.headers, call
