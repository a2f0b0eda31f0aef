"""Applications as they are bound: on loopback, beyond it, with `ACD_AUTH=always`; and a walk over all their routes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import Mount, Route

from acd.core.environment import load_settings
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app
from acd.web.token import read_or_make_token

NOBODY = "00000000-0000-0000-0000-000000000000"
# Every stream ends at once, every list is short; what a route does not know it ignores.
QUERY = "until=2000-01-01T00:00:00Z&limit=1&days=1&format=csv"


class Call(NamedTuple):
    """One method of one path; `open` is what loopback lets through without a token."""

    method: str
    path: str

    @property
    def open(self) -> bool:
        return self.method in ("GET", "HEAD", "OPTIONS") or "/sync" in self.path


def calls_of(app: FastAPI) -> Iterator[Call]:
    """Every method of every route of the application's own table, and paths that have none."""
    for path, methods in sorted(_paths(app.router)):
        filled = re.sub(r"\{(\w+)(:path)?\}", lambda m: NOBODY if "d" in m[1][-2:] else "x", path)
        for method in sorted(methods):
            yield Call(method, filled)
    for path in ("/static/acd.css", "/static/nothing", "/nothing", "/api", "/login", "//", "/api/"):
        yield Call("GET", path)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        yield Call(method, "/api/nothing")


def _paths(router: APIRouter) -> Iterator[tuple[str, frozenset[str]]]:
    for route in router.routes:
        if isinstance(route, APIRoute | Route):
            yield route.path, frozenset(route.methods or ())
        elif isinstance(route, Mount):
            yield f"{route.path}/acd.css", frozenset({"GET", "HEAD"})
        else:
            inner = getattr(route, "original_router", None)
            assert inner is not None, f"a kind of route that the walk does not know: {route!r}"
            yield from _paths(inner)


@pytest.fixture
def token(settings: Settings) -> str:
    return read_or_make_token(settings.home)


@pytest.fixture
async def ask(loopback: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application on loopback, without a token."""
    async with client_of(loopback) as client:
        yield client


def client_of(app: FastAPI, host: str = "localhost") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}:3434")


def bound(db: Database, settings: Settings, **changes: str) -> FastAPI:
    """The application as it would be served with these settings."""
    return create_app(db, load_settings({}, home=settings.home, **changes))


@pytest.fixture
def loopback(database: Database, settings: Settings) -> FastAPI:
    return bound(database, settings)


@pytest.fixture
def beyond(database: Database, settings: Settings) -> FastAPI:
    return bound(database, settings, host="0.0.0.0", allowed_hosts="acd.example")  # noqa: S104
