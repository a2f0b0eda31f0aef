"""The same demo on PostgreSQL 15 by DATABASE_URL: the same figures, and no embedded server beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.acceptance import figures
from tests.acceptance.performance import Stage, perform
from tests.acceptance.program import Program

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def demo15(postgres15: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    name = f"demo_{uuid4().hex}"
    url = urlunsplit(urlsplit(postgres15)._replace(path=f"/{name}"))
    with psycopg.connect(postgres15, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield Stage(perform(Program(tmp_path_factory.mktemp("demo15"), DATABASE_URL=url)), url)
    with psycopg.connect(postgres15, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_everything_is_as_on_the_embedded_one(demo15: Stage) -> None:
    assert "PostgreSQL 15" in demo15.row("SELECT version() AS v")["v"]
    performance = demo15.performance
    first, second = performance.first, performance.second
    figures.assert_every_table_is_filled(demo15)
    figures.assert_sums_agree_four_ways(demo15)
    figures.assert_equal_to_the_agents_ledgers(demo15)
    figures.assert_figures_equal_the_database(demo15, first, until=second.figures["since"])
    figures.assert_figures_equal_the_database(demo15, second)
    assert [row["session_number"] for row in demo15.sessions("demo-notes")] == [1, 2, 3, 4, 5, 6]


def test_others_read_there_too_and_no_embedded_server_was_made(demo15: Stage) -> None:
    performance = demo15.performance
    assert performance.meanwhile is not None
    assert performance.meanwhile.still_working
    assert performance.meanwhile.servers == [None, None]
    assert performance.meanwhile.status.figures["summary"]["totalSessions"] > 0
    assert not performance.program.embedded.places.base.exists()
    assert not Path(performance.folder, "acd", "postgres").exists()
    assert performance.left == [[], []]
