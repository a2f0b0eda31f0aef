"""A browser without a login is told how to get one; programs get JSON as before."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from tests.integration.web.conftest import client_of

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize("path", ["/", "/targets", "/login?code=old"])
async def test_a_browser_is_told_how_it_is_let_in(beyond: FastAPI, path: str) -> None:
    async with client_of(beyond, "acd.example") as client:
        page = await client.get(path, headers=HTML)
        plain = await client.get(path)
    assert page.status_code == plain.status_code == 401
    assert page.headers["content-type"].startswith("text/html")
    assert "acd login" in page.text
    assert page.headers["content-security-policy"]
    assert plain.json()["error"]["code"] == "unauthorized"


async def test_the_api_answers_a_browser_with_json_too(beyond: FastAPI) -> None:
    async with client_of(beyond, "acd.example") as client:
        answer: httpx.Response = await client.get("/api/db/targets", headers=HTML)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
