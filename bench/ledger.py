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
import psutil
import psycopg
from psycopg import sql

from acd.agents.claude_like.shapes import StreamLine, TranscriptLine
from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.files.folder import SessionFolder
from acd.ledger.catch_up import open_source
from acd.ledger.price import PriceList
from bench.figures import Figure, Outcome, Sample, in_turns
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
        return _outcome(_count(folder), rows, found)


def _outcome(size: tuple[int, int], rows: list[_Rows], found: dict[str, Sample]) -> Outcome:
    lines, count = size
    ours, decode, copy = found["ours"], found["decode"], found["copy"]
    baseline = Sample(decode.wall + copy.wall, decode.cpu + copy.cpu)
    wall, cpu = baseline.wall / ours.wall, baseline.cpu / ours.cpu
    return Outcome(
        "ledger: from file to rows",
        [
            *(
                Figure(
                    name=name,
                    value=lines / sample.wall,
                    unit="lines/s",
                    note=f"{sample.wall:.3f} s by the clock, {sample.cpu:.3f} s of processors",
                )
                for name, sample in (
                    ("ours", ours),
                    ("decode alone", decode),
                    ("COPY alone", copy),
                    ("decode, then COPY", baseline),
                )
            ),
            Figure(name="ours", value=count / ours.wall / 1e6, unit="MB/s"),
            Figure(
                name="ours ÷ both, by the clock", value=wall, unit="", aim="≥ 0.5", met=wall >= 0.5
            ),
            Figure(name="ours ÷ both, by processors", value=cpu, unit=""),
        ],
        [
            f"{lines:,} lines, {count / 1e6:.1f} MB of stream and transcript, "
            f"{sum(len(table.rows) for table in rows):,} rows in {len(rows)} tables; median of 5, in turns"
        ],
    )


class _Clock:
    """Measures a block; `backends` are PostgreSQL processes whose work belongs to it."""

    def __init__(self, backends: list[int]) -> None:
        self._backends = [psutil.Process(pid) for pid in backends]
        self._begin = time.perf_counter(), self._cpu()

    def sample(self) -> Sample:
        """What it took since the beginning."""
        wall, cpu = self._begin
        return Sample(time.perf_counter() - wall, self._cpu() - cpu)

    def _cpu(self) -> float:
        times = [process.cpu_times() for process in self._backends]
        return time.process_time() + sum((t.user + t.system for t in times), 0.0)


async def _record(scratch: Scratch, folder: SessionFolder) -> Sample:
    """Ours, into an empty database; opening the database is not counted."""
    url = scratch.create()
    settings = Settings(home=scratch.folder / "home", database_url=url)
    async with open_database(settings, application="bench") as database:
        await database.fetch_all("ledger.lock_targets", ids=[])
        clock = _Clock(_backends(url))
        source = open_source(folder.path, database, PriceList())
        assert source is not None
        await source.catch_up()
        sample = clock.sample()
        assert len(_backends(url)) == 1, "the work of a further connection was not counted"
    scratch.drop(url)
    return sample


def _backends(url: str) -> list[int]:
    """Processes of PostgreSQL that serve this program in a database."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'bench'"
        ).fetchall()
    return [pid for (pid,) in rows]


async def _decode(folder: SessionFolder) -> Sample:
    stream = msgspec.json.Decoder(StreamLine, strict=False).decode
    transcript = msgspec.json.Decoder(TranscriptLine, strict=False).decode
    clock = _Clock([])
    for path, decode in ((folder.stream, stream), (transcript_of(folder), transcript)):
        _decode_file(path, decode)
    return clock.sample()


def _decode_file(path: Path, decode: Callable[[bytes], object]) -> None:
    with path.open("rb") as file:
        for line in file:
            decode(line)


async def _copy(scratch: Scratch, tables: list[_Rows]) -> Sample:
    url = scratch.create()
    with psycopg.connect(url) as connection:
        clock = _Clock([connection.info.backend_pid])
        for table in tables:
            command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
                sql.Identifier(table.table), sql.SQL(", ").join(map(sql.Identifier, table.columns))
            )
            with connection.cursor().copy(command) as copy:
                copy.set_types(table.types)
                for row in table.rows:
                    copy.write_row(row)
        connection.commit()
        sample = clock.sample()
    scratch.drop(url)
    return sample


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
