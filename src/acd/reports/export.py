"""Rows as files: CSV, JSON Lines, Parquet. Streamed, so that memory does not grow with how many there are."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Literal, NamedTuple

from acd.core.errors import AcdError, ConfigError
from acd.database.connection import Database, Snapshot

Kind = Literal["sessions", "usage", "errors", "commits"]
Format = Literal["csv", "jsonl", "parquet"]

NEEDS_PYARROW = (
    "Parquet needs the extra `parquet`, which is not installed where this is written: "
    "pip install 'acd-harness[parquet]'"
)
_QUERIES: Mapping[Kind, str] = {
    "sessions": "export.sessions",
    "usage": "export.usage",
    "errors": "export.errors",
    "commits": "export.commits",
}
_SCALES: Mapping[Kind, str] = {
    "sessions": "export.money_scale_of_sessions",
    "usage": "export.money_scale_of_usage",
}
_CSV = "FORMAT csv, HEADER"
# JSON has none of these control characters, so that each row comes out as it is.
_LINES = r"FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02'"
_LEAST_SCALE, _MOST_SCALE = 18, 28
_PART = 64 * 1024


class _Filter(NamedTuple):
    process: Process
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader


def can_write_parquet() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("pyarrow") is not None


async def rows(
    db: Database,
    kind: Kind,
    form: Format,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    repo_id: str | None = None,
) -> AsyncGenerator[bytes]:
    """Yield a file's bytes, rows oldest first: those of `since` or later and before `until`, of one target or of all.

    The time is when a session started, a request was made, an error happened, a commit was made. All rows are of one
    moment. Close the generator (`aclosing`) when it is not read to its end.

    Raises:
        ConfigError: Parquet without its extra, or with amounts of more digits than it can hold.
        DatabaseAway: there is no database, or it went away: the file is not whole.
    """
    chosen = {"since": since, "until": until, "repo_id": repo_id}
    if form == "parquet" and not can_write_parquet():
        raise ConfigError(NEEDS_PYARROW)
    async with db.snapshot() as snapshot, aclosing(_made(snapshot, kind, form, chosen)) as parts:
        async for part in parts:
            yield part


def _made(
    snapshot: Snapshot, kind: Kind, form: Format, chosen: Mapping[str, object]
) -> AsyncGenerator[bytes]:
    if form == "jsonl":
        return snapshot.copy_out(_QUERIES[kind], _LINES, chosen, as_json=True)
    if form == "csv":
        return snapshot.copy_out(_QUERIES[kind], _CSV, chosen)
    return _parquet(snapshot, kind, chosen)


async def _parquet(
    snapshot: Snapshot, kind: Kind, chosen: Mapping[str, object]
) -> AsyncGenerator[bytes]:
    scale = await _scale(snapshot, kind, chosen)
    async with _filter(scale) as filter_:
        feeding = asyncio.create_task(
            _feed(filter_, snapshot.copy_out(_QUERIES[kind], _CSV, chosen)), name="export"
        )
        try:
            while part := await filter_.stdout.read(_PART):
                yield part
            await feeding
            if await filter_.process.wait() != 0:
                raise AcdError("the Parquet file could not be written; the log says why")
        finally:
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError, AcdError):
                await feeding


async def _scale(snapshot: Snapshot, kind: Kind, chosen: Mapping[str, object]) -> int:
    """Digits after the point of the file's amounts: always the same number, unless some amount has more."""
    if kind not in _SCALES:
        return _LEAST_SCALE
    row = await snapshot.fetch_one(_SCALES[kind], **chosen)
    found = (row["scale"] if row else None) or 0
    if found > _MOST_SCALE:
        raise ConfigError(
            f"an amount has {found} digits after the point, more than Parquet holds exactly: take csv or jsonl"
        )
    return max(int(found), _LEAST_SCALE)


@asynccontextmanager
async def _filter(scale: int) -> AsyncIterator[_Filter]:
    """The process that turns CSV into Parquet; it never outlives the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "acd.reports.parquet", str(scale)),
        stdin=PIPE,
        stdout=PIPE,
        limit=_PART,
        env={"PATH": os.environ.get("PATH", "")},
    )
    try:
        if process.stdin is None or process.stdout is None:
            raise AcdError("a process was started without its pipes")
        yield _Filter(process, process.stdin, process.stdout)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _feed(filter_: _Filter, parts: AsyncGenerator[bytes]) -> None:
    """Everything into the filter. Only a whole export ends its input in order; else what it would write looks whole."""
    try:
        async with aclosing(parts):
            async for part in parts:
                filter_.stdin.write(part)
                await filter_.stdin.drain()
    except ConnectionError:
        return  # it has ended before us: its exit status tells
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            filter_.process.kill()
        raise
    filter_.stdin.close()
