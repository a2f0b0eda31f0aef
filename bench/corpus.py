"""Databases as they are after years of work: sessions, ledger, sums and everything else, consistent in themselves.

    await fill(url, Size(sessions=100_000))

PostgreSQL makes the rows itself (`corpus.sql`) while the tables have no index and no foreign key; both are made anew
afterwards, so that every row is checked, and the sums by day come from the program's own roll-up queries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg

from acd.database.connection import Database
from acd.database.queries import parse_queries

_BULKY = (
    "token_usage_details",
    "session_usage",
    "harness_sessions",
    "session_events",
    "ledger_files",
)
_LONG = 3600.0
_SETTINGS = b"""
SET maintenance_work_mem = '256MB'; SET work_mem = '256MB'; SET max_parallel_maintenance_workers = 0;
"""
_PARTS = b"""
SELECT kind, name, definition FROM (
    SELECT c.contype::text AS kind, c.conname AS name, pg_get_constraintdef(c.oid) AS definition
    FROM pg_constraint c
    WHERE c.conrelid = %s::regclass AND c.contype IN ('p', 'u', 'f')
      AND (c.contype <> 'p' OR NOT EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = c.conrelid))
    UNION ALL
    SELECT 'i', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index i
    WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
) AS parts ORDER BY array_position(ARRAY['p', 'u', 'i', 'f'], kind), name
"""


@dataclass(frozen=True)
class Size:
    """How much there is to be. Sessions are spread evenly over targets and over the `days` before `until`.

    `requests` is the number of ledger rows of a session; 0 makes sessions and their sums alone, without a ledger.
    `events`: rows of a session's timeline. `features`: of a target.
    """

    sessions: int = 100_000
    targets: int = 199
    requests: int = 30
    events: int = 5
    features: int = 40
    days: int = 180
    until: datetime | None = None


async def fill(url: str, size: Size) -> None:
    """Fill a migrated, empty database, and gather statistics as autovacuum would have."""
    given = asdict(size) | {"until": size.until or datetime.now(UTC)}
    text = Path(__file__).with_suffix(".sql").read_text()
    statements = {query.name: query.sql for query in parse_queries("corpus", text)}
    await asyncio.to_thread(
        _make_rows, url, given, [statements[f"corpus.{n}"] for n in _steps(size)]
    )
    await _roll_up(url)
    await asyncio.to_thread(_finish, url, given, statements["corpus.snapshot_features"])


def _steps(size: Size) -> tuple[str, ...]:
    sums = ("ledger", "sums") if size.requests else ("sums_without_ledger",)
    beside = ("commits", "errors", "events", "files") if size.requests else ()
    return ("targets", "features", "plan", "prices", *sums, "sessions", *beside)


def _make_rows(url: str, given: Mapping[str, object], statements: Iterable[bytes]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(_SETTINGS)
        bare = [one for table in _BULKY for one in _parts(connection, table)]
        for part in reversed(bare):
            connection.execute(part.drop)
        for statement in statements:
            connection.execute(statement, given)
        for part in bare:
            connection.execute(part.make)


def _finish(url: str, given: Mapping[str, object], statement: bytes) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, given)
        connection.execute("VACUUM ANALYZE")


class _Part(NamedTuple):
    """An index or a constraint of a table: how to be rid of it, and how to have it again."""

    drop: bytes
    make: bytes


def _parts(connection: psycopg.Connection, table: str) -> Iterator[_Part]:
    """Primary keys first, foreign keys last; primary keys of tables that others refer to are left alone."""
    rows = connection.execute(_PARTS, [table, table]).fetchall()
    for kind, name, definition in rows:
        if kind == "i":
            yield _Part(f'DROP INDEX "{name}"'.encode(), definition.encode())
        else:
            alter = f'ALTER TABLE "{table}"'
            yield _Part(
                f'{alter} DROP CONSTRAINT "{name}"'.encode(),
                f'{alter} ADD CONSTRAINT "{name}" {definition}'.encode(),
            )


async def _roll_up(url: str) -> None:
    """Sums by day, as `acd db timezone` makes them anew."""
    database = Database(url, application="bench", expected=None)
    try:
        async with database.transaction(timeout=_LONG) as transaction:
            for target in await transaction.fetch_all("rollups.target_ids"):
                own = {"target_id": target["id"]}
                found = await transaction.fetch_all("rollups.days_of_target", **own)
                days = [row["day"] for row in found]
                await transaction.execute("rollups.model_usage", days=days, **own)
                await transaction.execute("rollups.snapshots", days=days, **own)
    finally:
        await database.close()
