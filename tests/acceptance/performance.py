"""Performances of the demo: what was called, what came of it, what was seen meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from acd.testing.ledger import LedgerTotals, read_ledgers
from tests.acceptance.program import PATIENCE, Program, wait_for


class Ended(msgspec.Struct):
    """A call that has ended."""

    status: int
    out: str
    err: str

    @property
    def figures(self) -> Any:  # noqa: ANN401 - JSON
        """What it printed, with exact numbers."""
        assert self.status == 0, self.err
        return exact(self.out)


class Meanwhile(msgspec.Struct):
    """What second processes saw while the demo worked."""

    status: Ended
    sessions: Ended
    still_working: bool
    servers: list[int | None]
    """Process ids of PostgreSQL, before and after."""


class Performance(msgspec.Struct):
    """The demo, performed twice in one home."""

    folder: str
    first: Ended
    second: Ended
    meanwhile: Meanwhile | None
    left: list[list[str]]
    """Processes that were left after each."""

    @property
    def program(self) -> Program:
        return Program(Path(self.folder))

    @property
    def agents_own(self) -> LedgerTotals:
        """What the scripted agents themselves wrote down, which acd never reads."""
        return read_ledgers(self.program.home / "scripted-agent" / "ledger")


class Stage(msgspec.Struct):
    """A performance, and the URL of the database in which it is recorded."""

    performance: Performance
    url: str

    def rows(self, query: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()

    def row(self, query: str) -> dict[str, Any]:
        (found,) = self.rows(query)
        return found

    def sessions(self, repo_id: str) -> list[dict[str, Any]]:
        return self.rows(
            "SELECT s.* FROM harness_sessions s JOIN targets t ON t.id = s.target_id "
            f"WHERE t.repo_id = '{repo_id}' ORDER BY s.session_number"
        )


def perform(program: Program) -> Performance:
    """Once at its own pace and looked at meanwhile, a second time as fast as it can, saying what it does."""
    demo = program.start("demo", "--json")
    try:
        meanwhile = _look(program, lambda: demo.poll() is None)
        out, err = demo.communicate(timeout=PATIENCE)
    finally:
        demo.kill()
        demo.communicate()
    left = [program.left_behind()]
    again = program.call("demo", "--json", "--pace", "0", "--verbose")
    left.append(program.left_behind())
    return Performance(
        folder=str(program.folder),
        first=Ended(demo.returncode, out, err),
        second=Ended(again.returncode, again.stdout, again.stderr),
        meanwhile=meanwhile,
        left=left,
    )


def _look(program: Program, works: Callable[[], bool]) -> Meanwhile:
    own = program.home / "scripted-agent" / "ledger"
    wait_for(lambda: read_ledgers(own).sum.requests or not works())
    before = program.embedded.status().pid
    seen = [program.call(word, "--json") for word in ("status", "sessions")]
    status, sessions = (Ended(one.returncode, one.stdout, one.stderr) for one in seen)
    after = program.embedded.status().pid
    return Meanwhile(status, sessions, works(), [before, after])


def exact(text: str) -> Any:  # noqa: ANN401 - JSON
    """JSON whose numbers keep their digits."""
    return json.loads(text, parse_float=Decimal)
