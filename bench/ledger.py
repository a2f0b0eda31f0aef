"""From files to rows, against decoding the same lines and COPYing the same rows into the same indexed tables.

The baseline is what a program could not do without: one typed decode of every line with msgspec (the adapter's own
decoders, nothing done with what they return) and one binary COPY of finished rows into each table of a copy of the
schema, in one transaction. Ours also makes events and rows, redacts, prices, balances, merges both files' snapshots
of a request, settles owners, rolls up, and keeps offsets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from acd.agents.claude_like.shapes import StreamLine, TranscriptLine
from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.files.folder import SessionFolder
from acd.ledger.catch_up import open_source
from acd.ledger.price import PriceList
from bench.figures import Figure, Outcome, in_turns
from bench.history import transcript_of, write_session
from bench.scratch import Scratch, scratch_server

SIZE = 30_000_000
# In the order in which foreign keys let them be filled.
_TABLES = (
    "targets",
    "harness_sessions",
    "token_usage_details",
    "session_usage",
    "model_usage",
    "progress_snapshots",
    "session_events",
    "session_reports",
    "request_owners",
    "ledger_files",
)


@dataclass(frozen=True)
class _Rows:
    """The rows of a table, and how to COPY them."""

    table: str
    columns: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]


async def measure() -> Outcome:
    """Lines a second from file to rows."""
    with scratch_server() as scratch:
        await scratch.create_template()
        folder = write_session(scratch.folder / "sessions", UUID(int=7), SIZE)
        rows = await _rows_of(scratch, folder)
        found = await in_turns(
            {
                "ours": lambda: _record(scratch, folder),
                "decode": lambda: _decode(folder),
                "copy": lambda: _copy(scratch, rows),
            }
        )
    return _outcome(folder_lines=_count(folder), rows=rows, found=found)


def _outcome(folder_lines: tuple[int, int], rows: list[_Rows], found: dict[str, float]) -> Outcome:
    lines, size = folder_lines
    baseline = found["decode"] + found["copy"]
    share = baseline / found["ours"]
    return Outcome(
        "ledger: from file to rows",
        [
            Figure(name="ours", value=lines / found["ours"], unit="lines/s", note=f"{found['ours']:.3f} s"),
            Figure(name="ours", value=size / found["ours"] / 1e6, unit="MB/s"),
            Figure(name="decoding only", value=lines / found["decode"], unit="lines/s", note=f"{found['decode']:.3f} s"),
            Figure(name="COPY only", value=lines / found["copy"], unit="lines/s", note=f"{found['copy']:.3f} s"),
            Figure(name="decode + COPY", value=lines / baseline, unit="lines/s", note=f"{baseline:.3f} s"),
            Figure(name="ours ÷ (decode + COPY)", value=share, unit="", aim="≥ 0.5", met=share >= 0.5),
        ],
        [
            f"{lines:,} lines, {size / 1e6:.1f} MB of stream and transcript, "
            f"{sum(len(table.rows) for table in rows):,} rows in {len(rows)} tables; median of 5, in turns"
        ],
    )


async def _record(scratch: Scratch, folder: SessionFolder) -> float:
    """Seconds of ours, into an empty database; opening the database is not counted."""
    url = scratch.create()
    settings = Settings(home=scratch.folder / "home", database_url=url)
    async with open_database(settings, application="bench") as database:
        await database.fetch_all("ledger.progress_of_host", host="bench")
        begin = time.perf_counter()
        source = open_source(folder.path, database, PriceList())
        assert source is not None
        await source.catch_up()
        seconds = time.perf_counter() - begin
    scratch.drop(url)
    return seconds


async def _decode(folder: SessionFolder) -> float:
    stream = msgspec.json.Decoder(StreamLine, strict=False).decode
    transcript = msgspec.json.Decoder(TranscriptLine, strict=False).decode
    begin = time.perf_counter()
    for path, decode in ((folder.stream, stream), (transcript_of(folder), transcript)):
        _decode_file(path, decode)
    return time.perf_counter() - begin


def _decode_file(path: Path, decode: Callable[[bytes], object]) -> None:
    with path.open("rb") as file:
        for line in file:
            decode(line)


async def _copy(scratch: Scratch, tables: list[_Rows]) -> float:
    url = scratch.create()
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
        begin = time.perf_counter()
        for table in tables:
            command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
                sql.Identifier(table.table), sql.SQL(", ").join(map(sql.Identifier, table.columns))
            )
            with connection.cursor().copy(command) as copy:
                copy.set_types(table.types)
                for row in table.rows:
                    copy.write_row(row)
        connection.commit()
        seconds = time.perf_counter() - begin
    scratch.drop(url)
    return seconds


async def _rows_of(scratch: Scratch, folder: SessionFolder) -> list[_Rows]:
    """What ours makes of the folder, read back."""
    url = scratch.create()
    settings = Settings(home=scratch.folder / "home", database_url=url)
    async with open_database(settings, application="bench") as database:
        source = open_source(folder.path, database, PriceList())
        assert source is not None
        await source.catch_up()
    with psycopg.connect(url) as connection:
        found = [_table(connection, table) for table in _TABLES]
    scratch.drop(url)
    return found


def _table(connection: psycopg.Connection[Any], table: str) -> _Rows:
    found = connection.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = '' AND atttypid <> 'xid8'::regtype ORDER BY attnum",
        [table],
    ).fetchall()
    columns = [column for column, _ in found]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table))
    rows = [tuple(map(_writable, row)) for row in connection.execute(statement)]
    assert rows, f"{table} holds no rows: nothing to compare with"
    return _Rows(table, columns, [kind for _, kind in found], rows)


def _writable(value: object) -> object:
    return psycopg.types.json.Jsonb(value) if isinstance(value, dict) else value


def _count(folder: SessionFolder) -> tuple[int, int]:
    """Lines and bytes of all files of a session."""
    data = [path.read_bytes() for path in folder.path.rglob("*.jsonl")]
    return sum(part.count(b"\n") for part in data), sum(map(len, data))
