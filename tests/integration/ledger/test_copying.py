"""Many new rows take another way into the tables (COPY) than few: the rows are the same, and so are the rules."""

from __future__ import annotations

import asyncio
import json

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database, Transaction
from acd.files.folder import SessionFolder
from acd.ledger import events, requests
from acd.ledger.catch_up import open_source
from acd.ledger.copying import MANY
from acd.ledger.price import PriceList
from acd.reports.totals import disagreements, four_ways
from tests.integration.ledger.stage import end, fingerprint, select, session_of

COUNT = 3 * MANY
PRICES = PriceList()


def long_session(settings: Settings, number: int, repo_id: str = "shop") -> SessionFolder:
    """Requests with tools, ids, texts with what formats of COPY treat specially, and a time each."""
    folder = session_of(settings, number, repo_id=repo_id)
    with folder.stream.open("w") as stream:
        for n in range(COUNT):
            at = f"2026-11-22T20:{n // 60:02}:{n % 60:02}.250Z"
            call = {"type": "tool_use", "id": f"t{n}", "name": "Bash", "input": {"command": "ls"}}
            message = {
                "id": f"msg_{n}",
                "model": "claude-opus-5-5" if n % 3 else "nobody-knows",
                "content": [{"type": "text", "text": 'tab\t, line\nend, \\N, "é"'}, call],
                "usage": {"input_tokens": n, "output_tokens": 3, "cache_read_input_tokens": 7},
            }
            result = {"type": "tool_result", "tool_use_id": f"t{n}", "content": "ok"}
            for line in (
                {"type": "assistant", "message": message, "request_id": f"req_{n}"},
                {"type": "user", "message": {"content": [result]}},
            ):
                stream.write(json.dumps({**line, "timestamp": at}) + "\n")
    end(folder)
    return folder


async def record(folder: SessionFolder, database: Database) -> None:
    source = open_source(folder.path, database, PRICES)
    assert source is not None
    await source.catch_up()


async def empty(database: Database, *tables: str) -> None:
    for table in tables:
        await select(database, f"WITH x AS (DELETE FROM {table}) SELECT 1")


async def test_copied_rows_are_those_that_are_merged_one_by_one(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    really = Transaction.copy

    async def watched(self: Transaction, table: str, *given: object, **named: object) -> int:
        copied.append(table)
        return await really(self, table, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Transaction, "copy", watched)
    folder = long_session(settings, 1)
    await record(folder, database)
    assert copied == ["request_owners", "token_usage_details", "session_events"]
    fast = await fingerprint(database)
    places = await select(
        database, "SELECT count(*) FROM token_usage_details WHERE listed_at <> requested_at"
    )
    assert places == [{"count": 0}]

    await empty(database, "targets", "request_owners", "ledger_files")
    for module in (requests, events):
        monkeypatch.setattr(module, "MANY", 10**9)
    copied.clear()
    await record(folder, database)
    assert copied == []
    assert await fingerprint(database) == fast
    [row] = await select(database, "SELECT request_count, unpriced_requests FROM harness_sessions")
    assert row == {"request_count": COUNT, "unpriced_requests": COUNT / 3}


@pytest.mark.parametrize("lost", ["all", "second half"])
async def test_places_that_are_taken_are_left_alone(
    database: Database, settings: Settings, lost: str
) -> None:
    """Offsets lost, rows there: COPY would refuse the whole batch, and nothing may be there twice."""
    folder = long_session(settings, 1)
    await record(folder, database)
    before = await fingerprint(database)
    await empty(database, "ledger_files")
    if lost == "second half":
        await select(
            database,
            "WITH half AS (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY seq) AS seq FROM session_events),"
            " x AS (DELETE FROM session_events e USING half WHERE e.seq > half.seq) SELECT 1",
        )
    await record(folder, database)
    assert await fingerprint(database) == before


async def test_two_who_copy_the_same_requests_at_once(
    database: Database, settings: Settings
) -> None:
    folders = [long_session(settings, n + 1, repo_id=f"repo-{n}") for n in range(3)]
    await asyncio.gather(*(record(folder, database) for folder in folders))
    rows = await select(database, "SELECT id, request_count FROM harness_sessions ORDER BY id")
    assert [(row["id"].int, row["request_count"]) for row in rows] == [(1, COUNT), (2, 0), (3, 0)]
    assert disagreements(await four_ways(database)) == []
