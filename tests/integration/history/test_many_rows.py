"""Many new requests go by another way into the ledger than few: their rows are the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.database.transaction import Transaction
from acd.ledger.copying import MANY, checked_at_once
from tests.integration.history.stage import Transcript, claude, import_from, session_name
from tests.integration.history.test_import_again import fresh
from tests.integration.ledger.stage import fingerprint, rows_of, select

pytestmark = pytest.mark.extra

USAGES: list[dict[str, Any]] = [
    {"input_tokens": 0, "output_tokens": 0},
    {"input_tokens": 150_000, "output_tokens": 1, "cache_read_input_tokens": 90_000},
    {
        "input_tokens": 3,
        "cache_creation": {"ephemeral_1h_input_tokens": 7},
        "service_tier": "batch",
    },
    {"output_tokens": 4, "server_tool_use": {"web_search_requests": 2}, "inference_geo": "us"},
    {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 5}, "speed": "fast"},
    {"input_tokens": 2**53, "cache_creation_input_tokens": 2**53},
]
MODELS = ["claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-5", "nobody's", "Modell-ü"]
TOOLS = [None, "Bash", "Wörk \U0001f642", "tab\tnew\nline", '"quoted\\']


def write(one: Transcript, numbers: range) -> None:
    for number in numbers:
        one.subagent = "a ü" if number % 7 == 0 else None
        one.asks(
            number,
            f"msg_{number}",
            model=MODELS[number % len(MODELS)],
            tool=TOOLS[number // 2 % len(TOOLS)],
            usage=USAGES[number % len(USAGES)],
            requestId=f"req_{number}" if number % 3 else None,
        )


async def test_both_ways_give_the_same_rows(
    database: Database, empty_database_url: str, settings: Settings, tmp_path: Path
) -> None:
    count, step = 2 * MANY, MANY // 2
    one = Transcript(claude(tmp_path) / "p" / f"{session_name(1)}.jsonl", session_name(1))
    one.says(0)
    for begin in range(1, count, step):
        write(one, range(begin, begin + step))
        await import_from(database, settings, [tmp_path])
    rows = await rows_of(database, "token_usage_details")
    assert len(rows) == count
    async with fresh(empty_database_url, settings) as other:
        await import_from(other, settings, [tmp_path])
        assert await rows_of(other, "token_usage_details") == rows
        assert await fingerprint(other) == await fingerprint(database)


async def test_whoever_may_not_leave_out_checks_writes_the_same(
    database: Database,
    database_url: str,
    empty_database_url: str,
    database15_url: str,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """An ordinary user of a database, and PostgreSQL 15."""
    one = Transcript(claude(tmp_path) / "p" / f"{session_name(1)}.jsonl", session_name(1))
    write(one.says(0), range(1, 2 * MANY))
    await import_from(database, settings, [tmp_path])
    rows = await fingerprint(database)
    async with fresh(database15_url, settings) as oldest:
        await import_from(oldest, settings, [tmp_path])
        assert await fingerprint(oldest) == rows
    async with fresh(empty_database_url, settings):
        pass  # migrated by its owner
    with ordinary_user(empty_database_url) as url:
        async with fresh(url, settings) as ordinary:
            may = "SELECT has_parameter_privilege('session_replication_role', 'SET') AS may"
            assert await select(ordinary, may) == [{"may": False}]
            await import_from(ordinary, settings, [tmp_path])
            assert await fingerprint(ordinary) == rows


@contextmanager
def ordinary_user(url: str) -> Iterator[str]:
    """The same database as a user of its own, who owns nothing and may read and write its tables."""
    name = f"plain_{uuid4().hex}"
    parts = urlsplit(url)
    _, _, host = parts.netloc.rpartition("@")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {name} LOGIN")
        try:
            owner.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
            owner.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
            owner.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}")
            yield urlunsplit(parts._replace(netloc=f"{name}@{host}"))
        finally:
            owner.execute(f"DROP OWNED BY {name}")
            owner.execute(f"DROP ROLE {name}")


async def test_keys_are_checked_at_once_only_while_rows_are_copied(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = Transcript(claude(tmp_path) / "p" / f"{session_name(1)}.jsonl", session_name(1))
    one.says(0)
    await import_from(database, settings, [tmp_path])
    (row,) = await select(database, "SELECT target_id, id FROM harness_sessions")
    home = (row["target_id"], row["id"])

    async def role(tx: Transaction) -> str:
        (found,) = await tx.fetch_foreign("SELECT current_setting('session_replication_role')", {})
        return str(next(iter(found.values())))

    async with database.transaction() as tx:
        async with checked_at_once(tx, {home}):
            assert await role(tx) == "replica"
        assert await role(tx) == "origin"
        async with checked_at_once(tx, {home, (row["target_id"], uuid4())}):
            assert await role(tx) == "origin", "one is missing"
