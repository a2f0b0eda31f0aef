"""What has not changed is not sent again; what is long is compressed for those who can read it."""

from __future__ import annotations

import gzip

import httpx
import psycopg
import pytest

from acd.database.connection import Database

PATHS = [
    "/api/db/sessions",
    "/api/db/targets",
    "/api/db/model-usage",
    "/api/reports/cost",
    "/openapi.json",
]


@pytest.mark.parametrize("path", PATHS)
async def test_the_same_answer_is_304(client: httpx.AsyncClient, path: str) -> None:
    first = await client.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await client.get(path, headers={"If-None-Match": known})
        assert again.status_code == 304, known
        assert again.content == b""
        assert again.headers["etag"] == tag
        assert "content-length" not in again.headers
        assert "default-src" in again.headers["content-security-policy"]
    other = await client.get(path, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200
    assert other.content == first.content


async def test_a_change_gives_another_tag(client: httpx.AsyncClient, seeded: Database) -> None:
    tag = (await client.get("/api/db/sessions")).headers["etag"]
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        await connection.execute(
            "UPDATE harness_sessions SET retry_count = 1 WHERE session_number = 7"
        )
    again = await client.get("/api/db/sessions", headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert again.headers["etag"] != tag


async def test_refusals_have_no_tag(client: httpx.AsyncClient) -> None:
    for path in ("/api/db/sessions?limit=0", "/api/db/features/nobody"):
        answer = await client.get(path, headers={"If-None-Match": "*"})
        assert answer.status_code in (404, 422)
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"


async def test_long_answers_are_compressed_for_those_who_ask(client: httpx.AsyncClient) -> None:
    plain = await client.get("/api/db/sessions", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    async with client.stream(
        "GET", "/api/db/sessions", headers={"Accept-Encoding": "gzip"}
    ) as packed:
        raw = b"".join([chunk async for chunk in packed.aiter_raw()])
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] == plain.headers["etag"]
    assert len(raw) < len(plain.content) / 3
    assert gzip.decompress(raw) == plain.content
