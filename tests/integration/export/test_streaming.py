"""Exports while they are under way: readers that go away, a database that does, too many at once, and memory."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import httpx
import psutil
import psycopg
import pytest

from acd.api.export import MOST_AT_ONCE
from acd.core.settings import Settings
from acd.database.connection import Database
from tests.integration.export.stage import csv_rows, fill, json_rows, total
from tests.integration.serving import serving, serving_process

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

FORMS = ["csv", "jsonl", pytest.param("parquet", marks=pytest.mark.extra)]
# More than sockets and buffers on the way can hold, so that an export whose reader waits is not over.
MANY = 60_000
MOST_GROWTH = 64 * 1024 * 1024
DEADLINE_S = 60


@asynccontextmanager
async def reading(address: str, form: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """An export of which some has been read."""
    async with (
        httpx.AsyncClient(base_url=address, timeout=DEADLINE_S, trust_env=False) as client,
        client.stream("GET", "/api/export/usage", params={"format": form}) as answer,
    ):
        assert answer.status_code == 200
        parts = answer.aiter_raw(1024)
        await anext(parts)
        yield parts


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.05)


def copying(url: str) -> list[int]:
    """Server processes that send a COPY now."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' "
            "AND query LIKE 'COPY (%'"
        )
        return [row[0] for row in rows]


def filters() -> list[psutil.Process]:
    """Our processes that write Parquet."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it has ended: whoever started it has yet to see it
            if "acd.reports.parquet" in " ".join(child.cmdline()):
                found.append(child)
    return found


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_a_reader_that_goes_away_ends_the_export(
    database: Database, settings: Settings, form: str
) -> None:
    await asyncio.to_thread(fill, database.url, MANY)
    async with serving(database, settings) as address:
        async with reading(address, form):
            assert len(copying(database.url)) == 1
        await until(lambda: copying(database.url) == [])


@pytest.mark.extra
async def test_a_reader_that_goes_away_ends_the_process_that_writes_parquet(
    database: Database, settings: Settings
) -> None:
    await asyncio.to_thread(fill, database.url, 10 * MANY)
    async with serving(database, settings) as address:
        async with reading(address, "parquet"):
            assert len(filters()) == 1
        await until(lambda: filters() == [] and copying(database.url) == [])


@pytest.mark.parametrize("form", FORMS)
async def test_an_export_cut_short_is_not_taken_for_whole(
    database: Database, settings: Settings, form: str
) -> None:
    await asyncio.to_thread(fill, database.url, 10 * MANY if form == "parquet" else MANY)
    async with serving(database, settings) as address:
        async with reading(address, form) as parts:
            (pid,) = copying(database.url)
            with psycopg.connect(database.url) as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
            with pytest.raises(httpx.RemoteProtocolError):
                async for _ in parts:
                    pass
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            assert (await client.get("/api/export/commits")).status_code == 200
    assert filters() == []


async def test_exports_have_places_and_leave_the_rest_alone(
    database: Database, settings: Settings
) -> None:
    await asyncio.to_thread(fill, database.url, MANY)
    async with (
        serving(database, settings) as address,
        httpx.AsyncClient(base_url=address, timeout=DEADLINE_S, trust_env=False) as client,
    ):
        held = [reading(address, "jsonl") for _ in range(MOST_AT_ONCE)]
        for one in held:
            await one.__aenter__()
        refused = await client.get("/api/export/commits")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert (await client.get("/api/db/targets/summary")).status_code == 200
        for one in held:
            await one.__aexit__(None, None, None)
        async with asyncio.timeout(DEADLINE_S):
            while (await client.get("/api/export/commits")).status_code == 503:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(200_000, marks=pytest.mark.extra),
        pytest.param(3_000_000, marks=pytest.mark.long),
    ],
)
@pytest.mark.timeout(3000)
def test_memory_does_not_grow_with_the_rows(
    database_url: str, tmp_path: Path, rows: int, polars: ModuleType, parquet: ModuleType
) -> None:
    fill(database_url, rows)
    with serving_process(database_url, tmp_path) as (process, address):
        client = httpx.Client(base_url=address, timeout=300, trust_env=False)
        usage = client.get("/api/db/model-usage?days=3660").text
        expected = Decimal(re.search(r'"totalCost" : ([\d.]+)', usage)[1])  # type: ignore[index]
        for form in ("csv", "parquet"):  # what is loaded once
            client.get(f"/api/export/commits?format={form}").raise_for_status()
        for form in ("csv", "jsonl", "parquet"):
            file = tmp_path / f"usage.{form}"
            with (
                watched(process) as peak,
                file.open("wb") as out,
                client.stream("GET", f"/api/export/usage?format={form}") as answer,
            ):
                answer.raise_for_status()
                for part in answer.iter_bytes():
                    out.write(part)
            assert peak.growth < MOST_GROWTH, f"{form} grew by {peak.growth / 2**20:.0f} MB"
        client.close()
    file = tmp_path / "usage.parquet"
    # In row groups, so that its readers need no memory for all of it either.
    assert parquet.ParquetFile(file).metadata.num_row_groups > 1
    assert polars.read_parquet(file, columns=["costUsd"])["costUsd"].sum() == expected
    assert polars.scan_csv(tmp_path / "usage.csv").select(polars.len()).collect().item() == rows
    if rows < 1_000_000:
        assert total(json_rows((tmp_path / "usage.jsonl").read_bytes()), "costUsd") == expected
        assert total(csv_rows((tmp_path / "usage.csv").read_bytes()), "costUsd") == expected


class Peak:
    """How far the resident memory of a process rose above where it was, in bytes."""

    growth = 0


@contextmanager
def watched(process: psutil.Process) -> Iterator[Peak]:
    peak, over = Peak(), threading.Event()
    before = process.memory_info().rss

    def look() -> None:
        while not over.is_set():
            peak.growth = max(peak.growth, process.memory_info().rss - before)
            time.sleep(0.01)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield peak
    finally:
        over.set()
        looking.join()
