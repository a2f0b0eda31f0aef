"""Every named query is used, and is one that PostgreSQL can prepare on the migrated schema."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import acd
from acd.database.queries import Query, load_queries

PARAMETER = re.compile(rb"%\((\w+)\)s")


def test_postgresql_can_prepare_every_query(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        found = [refusal(connection, query) for query in load_queries().values()]
    assert [each for each in found if each] == []


@pytest.mark.parametrize("statement", [b"SELECT nothing FROM targets", b"SELECT 1; SELECT 2"])
def test_a_bad_query_is_found(database_url: str, statement: bytes) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert refusal(connection, Query("bad", "Bad.", statement))


def refusal(connection: psycopg.Connection, query: Query) -> str:
    """What PostgreSQL has against the query; empty where it has nothing."""
    names = list(dict.fromkeys(PARAMETER.findall(query.sql)))
    numbered = PARAMETER.sub(lambda m: b"$%d" % (names.index(m[1]) + 1), query.sql)
    result = connection.pgconn.prepare(b"", numbered.replace(b"%%", b"%"))
    if result.status == psycopg.pq.ExecStatus.COMMAND_OK:
        return ""
    return f"{query.name}: {result.error_message.decode()}"


def test_every_query_is_used() -> None:
    source = "\n".join(file.read_text() for file in Path(acd.__path__[0]).rglob("*.py"))
    assert [name for name in load_queries() if f'"{name}"' not in source] == []
