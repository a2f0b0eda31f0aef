"""What must not come out: files beside those that are meant, secrets, the inside of an error."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from acd.core.environment import load_settings
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app
from tests.integration.web.conftest import QUERY, calls_of, client_of

_UPS = (
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%5c",
    "..\\",
    "%252e%252e%252f",
    "....//",
    "/..;/",
)
_PLACES = (
    "/static/",
    "/static//",
    "/",
    "/docs/",
    "/api/db/logs/",
    "/api/db/features/",
    "/api/export/",
)
_GOALS = ("etc/passwd", "server.py", "token", "pyproject.toml%00.css")


def traversals() -> Iterator[str]:
    for place, up, goal in itertools.product(_PLACES, _UPS, _GOALS):
        yield f"{place}{up * 6}{goal}"
    yield from (
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/C:%5cwindows",
        "//etc/passwd",
    )


async def test_no_path_leads_outside(ask: httpx.AsyncClient, token: str) -> None:
    paths = list(traversals())
    assert len(paths) > 200
    for path in paths:
        url = httpx.URL("http://localhost:3434", raw_path=path.encode())
        answer = await ask.request("GET", url)
        assert answer.status_code in (400, 404, 405, 422), path
        for inside in ("root:", "create_app", token, "[project]"):
            assert inside not in answer.text, path


async def test_a_file_that_is_meant_is_given(ask: httpx.AsyncClient) -> None:
    """The control: the walk above would see a file."""
    assert (await ask.get("/static/acd.css")).status_code == 200


async def test_no_answer_tells_a_secret(
    database: Database, settings: Settings, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Canaries in the environment, in the URL of the database, and the token itself."""
    canary = "canary-4f1d2b"
    monkeypatch.setenv("ANTHROPIC_API_KEY", f"sk-ant-{canary}")
    url = f"postgresql://acd:{canary}@127.0.0.1:1/acd"
    away = Database(url, application="test", expected=None)
    for db in (database, away):
        app = create_app(db, load_settings({}, home=settings.home, database_url=url))
        async with client_of(app) as client:
            for call in calls_of(app):
                headers = {"Authorization": f"Bearer {token}"}
                asked = f"{call.path}?{QUERY}"
                answer = await client.request(call.method, asked, headers=headers)
                told = answer.text + str(answer.headers)
                assert canary not in told, call
                assert token not in told, call
                assert "Traceback" not in told, call
    await away.close()


async def test_a_body_that_is_no_json_is_named(ask: httpx.AsyncClient, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for path in ("/api/targets/update-priority", "/api/targets/toggle-enabled"):
        for body in (b"{", b"", b"[]", b"null"):
            answer = await ask.put(path, headers=headers, content=body)
            assert answer.status_code == 422, (path, body)
            assert answer.json()["error"]["field"], (path, body)


async def test_a_body_that_is_no_text_is_refused(ask: httpx.AsyncClient, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = await ask.put("/api/targets/toggle-enabled", headers=headers, content=b"\xff")
    assert answer.status_code == 400


async def test_a_body_of_another_kind_is_refused(ask: httpx.AsyncClient, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
    answer = await ask.put("/api/targets/toggle-enabled", headers=headers, content=b"{}")
    assert answer.status_code == 415


async def test_an_error_of_our_own_has_the_security_headers(loopback: FastAPI) -> None:
    @loopback.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("secret detail")

    async with client_of(loopback) as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_wrong_address_or_method_is_told_where_to_look(
    ask: httpx.AsyncClient, token: str
) -> None:
    nowhere = await ask.get("/api/db/sesions")
    assert nowhere.status_code == 404
    assert "/docs" in nowhere.json()["error"]["message"]
    wrong = await ask.delete("/api/db/sessions", headers={"Authorization": f"Bearer {token}"})
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "GET"
    assert "/docs" in wrong.json()["error"]["message"]


async def test_every_method_of_an_address_is_told(ask: httpx.AsyncClient, token: str) -> None:
    wrong = await ask.put(
        "/api/targets/shop/features/F1/skip", headers={"Authorization": f"Bearer {token}"}
    )
    assert wrong.status_code == 405
    assert set(wrong.headers["allow"].split(", ")) == {"POST", "DELETE"}
