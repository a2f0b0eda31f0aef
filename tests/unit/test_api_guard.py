"""Who may ask: Host and Origin of every kind, against the guard in front of a bare application."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from acd.web.access import Access
from acd.web.guard import Guard


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body() or b"empty")


TOKEN = "t" * 43
APP = Guard(
    Starlette(routes=[Route("/", _echo, methods=["GET", "POST", "PUT", "DELETE"])]), Access(TOKEN)
)
BEARER = ("Authorization", f"Bearer {TOKEN}")


def ask(method: str, headers: list[tuple[str, str]], body: bytes | None = None) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, "/", headers=[*headers, BEARER], content=body)

    return asyncio.run(send())


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:3434",
        "LOCALHOST:3434",
        "127.0.0.1",
        "127.0.0.1:80",
        "[::1]",
        "[::1]:3434",
    ],
)
def test_our_own_hosts_are_answered(host: str) -> None:
    assert ask("GET", [("Host", host)]).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3434",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost.",
        "127.0.0.2",
        "127.1",
        "2130706433",
        "0.0.0.0",  # noqa: S104 - a Host header, nothing is bound
        "0x7f000001",
        "[::]",
        "[::ffff:127.0.0.1]",
        "::1",
        "user@localhost",
        "localhost@evil.example",
        "localhost:3434:evil",
        "localhost:port",
        "localhost evil.example",
        "localhost,evil.example",
        "",
    ],
)
def test_every_other_host_is_refused(host: str) -> None:
    answer = ask("GET", [("Host", host)])
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "host"


def test_two_hosts_are_refused() -> None:
    assert ask("GET", [("Host", "localhost"), ("Host", "localhost")]).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Origin", "http://localhost:3434")],
        [("Origin", "http://localhost:3434"), ("Sec-Fetch-Site", "same-origin")],
        [("Sec-Fetch-Site", "none")],
    ],
)
def test_our_own_pages_and_plain_clients_may_change_things(
    headers: list[tuple[str, str]],
) -> None:
    assert ask("POST", [("Host", "localhost:3434"), *headers]).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Origin", "http://localhost:8080")],
        [("Origin", "http://127.0.0.1:3434")],
        [("Origin", "http://[broken")],
        [("Origin", "")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site")],
        [("Origin", "http://localhost:3434"), ("Sec-Fetch-Site", "cross-site")],
    ],
)
def test_foreign_pages_may_not(method: str, headers: list[tuple[str, str]]) -> None:
    answer = ask(method, [("Host", "localhost:3434"), *headers])
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "origin"


def test_reading_needs_no_origin() -> None:
    assert (
        ask("GET", [("Host", "localhost"), ("Origin", "https://evil.example")]).status_code == 200
    )


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_a_json_body_is_passed_on(kind: str) -> None:
    answer = ask("POST", [("Host", "localhost"), ("Content-Type", kind)], b"{}")
    assert (answer.status_code, answer.text) == (200, "{}")


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Type", "text/plain")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Content-Type", "multipart/form-data; boundary=x")],
        [("Content-Type", "text/plain; application/json")],
        [],
    ],
)
def test_any_other_body_is_refused(headers: list[tuple[str, str]]) -> None:
    answer = ask("POST", [("Host", "localhost"), *headers], b"{}")
    assert answer.status_code == 415
