"""Parquet as its readers see it."""

from __future__ import annotations

import io
from decimal import Decimal
from types import ModuleType

import httpx
import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app
from tests.integration.export.stage import json_rows
from tests.integration.serving import put_seed

pytestmark = pytest.mark.extra
BASE = "http://127.0.0.1:3434"
HARD = 'one,two\n"three"\r\n\\. \\N é 😀 NULL'


async def exported(database: Database, settings: Settings, kind: str, form: str) -> bytes:
    transport = httpx.ASGITransport(create_app(database, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        answer = await client.get(f"/api/export/{kind}", params={"format": form})
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.parametrize("kind", ["sessions", "usage", "errors", "commits"])
async def test_every_value_is_that_of_json_lines(
    database: Database, settings: Settings, kind: str, polars: ModuleType
) -> None:
    put_seed(database.url)
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE harness_commits SET message = %s, branch = ''", (HARD,))
    lines = json_rows(await exported(database, settings, kind, "jsonl"))
    frame = polars.read_parquet(io.BytesIO(await exported(database, settings, kind, "parquet")))
    assert frame.height == len(lines) > 0
    for row, line in zip(frame.iter_rows(named=True), lines, strict=True):
        assert list(row) == list(line)
        for name, expected in line.items():
            if isinstance(expected, str | int | Decimal | None) and not name.endswith(
                ("At", "Date")
            ):
                assert row[name] == expected, name
        for name in (name for name in row if name.endswith("At") and row[name]):
            assert row[name].strftime("%Y-%m-%dT%H:%M:%S.%fZ") == line[name]


async def test_amounts_are_exact_whatever_their_digits(
    database: Database, settings: Settings, parquet: ModuleType
) -> None:
    put_seed(database.url)
    long = Decimal("0.0000000000000000000123")
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE harness_sessions SET reported_cost_usd = %s WHERE session_number = 3", (long,)
        )
    table = parquet.read_table(
        io.BytesIO(await exported(database, settings, "sessions", "parquet"))
    )
    assert str(table.schema.field("costUsd").type) == "decimal128(38, 22)"
    assert long in table.column("reportedCostUsd").to_pylist()
    assert sum(table.column("costUsd").to_pylist()) == Decimal("0.2800004")


async def test_amounts_that_do_not_fit_are_refused_and_not_rounded(
    database: Database, settings: Settings
) -> None:
    put_seed(database.url)
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE harness_sessions SET reported_cost_usd = 1e-40")
    transport = httpx.ASGITransport(create_app(database, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        answer = await client.get("/api/export/sessions?format=parquet")
    assert answer.status_code == 422
    assert "csv or jsonl" in answer.json()["error"]["message"]


async def test_nothing_to_export_has_its_columns(
    database: Database, settings: Settings, polars: ModuleType
) -> None:
    frame = polars.read_parquet(io.BytesIO(await exported(database, settings, "usage", "parquet")))
    assert frame.height == 0
    assert "costUsd" in frame.columns
