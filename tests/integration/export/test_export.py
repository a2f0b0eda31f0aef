"""Exports: what is in them, to the last digit and character, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app
from tests.integration.export.stage import csv_rows, json_rows, total
from tests.integration.serving import put_seed

BASE = "http://127.0.0.1:3434"
HARD = 'one,two\n"three"\r\n\\. \\N \\t\ttab é 😀 NULL'
COUNTS = {"sessions": 8, "usage": 9, "errors": 3, "commits": 2}


@pytest.fixture
async def client(database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    put_seed(database.url)
    transport = httpx.ASGITransport(create_app(database, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def exported(client: httpx.AsyncClient, kind: str, **query: str) -> bytes:
    answer = await client.get(f"/api/export/{kind}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.content


async def api(client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401 - JSON
    return msgspec.json.decode((await client.get(path)).content, type=dict[str, Any])["data"]


@pytest.mark.parametrize("kind", COUNTS)
async def test_csv_and_json_lines_say_the_same(client: httpx.AsyncClient, kind: str) -> None:
    as_csv = csv_rows(await exported(client, kind))
    as_json = json_rows(await exported(client, kind, format="jsonl"))
    assert len(as_csv) == len(as_json) == COUNTS[kind]
    for one, other in zip(as_csv, as_json, strict=True):
        assert list(one) == list(other)
        assert one == {name: as_text(value) for name, value in other.items()}


def as_text(value: object) -> str:
    """How CSV has a value of JSON."""
    if value is None:
        return ""
    if isinstance(value, bool | list):
        return msgspec.json.encode(value).decode()
    if isinstance(value, dict):  # jsonb has a blank after its colons
        return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


async def test_sums_are_those_of_the_api(client: httpx.AsyncClient) -> None:
    summary = await api(client, "/api/db/targets/summary")
    for form, read in (("csv", csv_rows), ("jsonl", json_rows)):
        sessions = read(await exported(client, "sessions", format=form))
        assert total(sessions, "totalTokens") == summary["totalTokens"]
        assert total(sessions, "costUsd") == Decimal("0.2800004")
        usage = read(await exported(client, "usage", format=form))
        kinds = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens")
        assert sum(total(usage, kind) for kind in kinds) == summary["totalTokens"]
        assert total(usage, "costUsd") == Decimal("0.2800004")


async def test_rows_come_oldest_first_and_between_times(client: httpx.AsyncClient) -> None:
    found = json_rows(await exported(client, "sessions", format="jsonl", repoId="shop-api"))
    assert [one["sessionNumber"] for one in found] == [1, 2, 3, 4, 5, 6, 7]
    assert found[0]["startedAt"] == "2026-03-01T11:00:00.000000Z"
    between = {"since": "2026-03-01T12:00:00Z", "until": "2026-03-01T15:00:00Z"}
    found = json_rows(await exported(client, "sessions", format="jsonl", **between))
    assert [one["sessionNumber"] for one in found] == [2, 3, 4]
    assert csv_rows(await exported(client, "sessions", repoId="nobody")) == []


async def test_no_character_changes(client: httpx.AsyncClient, database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE harness_commits SET message = %s, branch = ''", (HARD,))
    as_csv = csv_rows(await exported(client, "commits"))
    as_json = json_rows(await exported(client, "commits", format="jsonl"))
    assert {one["message"] for one in as_csv} == {one["message"] for one in as_json} == {HARD}


async def test_a_file_has_a_name_and_a_type(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/export/errors", params={"format": "jsonl"})
    assert answer.headers["content-disposition"] == 'attachment; filename="acd-errors.jsonl"'
    assert answer.headers["content-type"] == "application/x-ndjson"


async def test_nothing_to_export_is_an_empty_file(database: Database, settings: Settings) -> None:
    transport = httpx.ASGITransport(create_app(database, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        assert await exported(client, "usage", format="jsonl") == b""
        assert (await exported(client, "usage")).startswith(b"requestKey,targetId,repoId,")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/export/secrets", "kind"),
        ("/api/export/usage?format=xlsx", "format"),
        ("/api/export/usage?since=yesterday", "since"),
    ],
)
async def test_a_bad_parameter_is_named(client: httpx.AsyncClient, path: str, field: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


async def test_parquet_without_its_extra_says_what_to_install(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as if it were not installed
    answer = await client.get("/api/export/usage", params={"format": "parquet"})
    assert answer.status_code == 501
    assert "acd-harness[parquet]" in answer.json()["error"]["message"]
