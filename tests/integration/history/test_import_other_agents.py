"""What the genuine Codex, Gemini CLI, OpenCode and Qwen Code wrote, imported: rows and sums to the token, whatever is read again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from acd.agents.histories import load_history
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.history.done import Imported
from acd.history.importing import Importer
from acd.reports.totals import disagreements, four_ways
from tests.integration.history.stage import PRICES
from tests.integration.ledger.stage import select

pytestmark = pytest.mark.extra

DATA = Path(__file__).parents[2] / "data"
_SUMS = """
SELECT s.agent, t.path, count(*)::int AS requests, count(DISTINCT s.id)::int AS sessions,
       sum(u.input_tokens)::int AS given, sum(u.output_tokens)::int AS out, sum(u.cache_read_tokens)::int AS cached,
       sum(u.reasoning_tokens)::int AS reasoning, sum(u.cost_usd) AS cost
FROM token_usage_details u JOIN harness_sessions s ON (s.target_id, s.id) = (u.target_id, u.session_id)
JOIN targets t ON t.id = s.target_id
GROUP BY s.agent, t.path ORDER BY s.agent
"""
_ROWS = "SELECT * FROM token_usage_details ORDER BY request_key"


def _cost(given: int, out: int, cached: int) -> Decimal:
    """At 1.25, 10 and 0.125 USD for a million: gpt-5.1 and gemini-2.5-pro alike."""
    return (given * Decimal("1.25") + out * 10 + cached * Decimal("0.125")) / 1_000_000


def _expected(
    agent: str, path: str, requests: int, sessions: int, figures: tuple[int, int, int, int]
) -> dict[str, Any]:
    given, out, cached, reasoning = figures
    return {
        "agent": agent,
        "path": path,
        "requests": requests,
        "sessions": sessions,
        "given": given,
        "out": out,
        "cached": cached,
        "reasoning": reasoning,
        "cost": None if agent == "qwen-code" else _cost(given, out, cached),
    }


EXPECTED = [
    _expected("codex", "/scratch/x_codex/repo", 3, 1, (309, 90, 6009, 15)),
    _expected("gemini-cli", "/scratch/x_gemini/repo", 3, 1, (309, 105, 6009, 15)),
    # Four of its own, and one of a fork that repeats them.
    _expected("opencode", "/scratch/x_opencode/repo", 5, 2, (519, 170, 12019, 25)),
    # Two of a subagent, one that keeps its memory.
    _expected("qwen-code", "/scratch/x_qwen/repo", 8, 1, (1022, 212, 17022, 30)),
]


async def bring(database: Database, settings: Settings, folder: Path) -> Imported:
    names = [one["agent"] for one in EXPECTED]
    roots = [(load_history(name), [folder / name]) for name in names]
    done = await Importer(database, settings, PRICES).run(roots)
    assert (done.unread, done.left_out) == ([], 0)
    return done


async def test_golden_files_become_rows_and_nothing_is_counted_twice(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "left"
    for one in EXPECTED:
        shutil.copytree(DATA / one["agent"], folder / one["agent"])
    await bring(database, settings, folder)
    assert await select(database, _SUMS) == EXPECTED
    totals = await four_ways(database)
    assert disagreements(totals) == []
    rows = await select(database, _ROWS)
    assert (await bring(database, settings, folder)).lines == 0
    # All again from copies elsewhere, where no file is known: every request is known.
    await bring(database, settings, DATA)
    assert await select(database, _ROWS) == rows


async def test_what_agents_add_is_read_on(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """A rollout that is cut within its turn, a database in which a message grows: what was before has to be known."""
    folder = tmp_path / "left"
    for one in EXPECTED:
        shutil.copytree(DATA / one["agent"], folder / one["agent"])
    rollout = next((folder / "codex").iterdir())
    whole = rollout.read_bytes().splitlines(keepends=True)
    rollout.write_bytes(b"".join(whole[:14]))
    store = folder / "opencode" / "opencode.db"
    last = "select id, data from message order by time_updated desc limit 1"
    with closing(sqlite3.connect(store)) as opened, opened:
        name, text = opened.execute(last).fetchone()
        opened.execute("delete from part where message_id = ?", (name,))
        data = json.loads(text) | {"tokens": {"input": 0, "output": 0}}
        opened.execute("update message set data = ? where id = ?", (json.dumps(data), name))
    await bring(database, settings, folder)
    before = {one["agent"]: one["requests"] for one in await select(database, _SUMS)}
    assert (before["codex"], before["opencode"]) == (1, 4)
    with rollout.open("ab") as file:
        file.write(b"".join(whole[14:]))
    with closing(sqlite3.connect(store)) as opened, opened:
        opened.execute("update message set data = ? where id = ?", (text, name))
    await bring(database, settings, folder)
    after = {one["agent"]: one for one in await select(database, _SUMS)}
    for one in EXPECTED:
        assert after[one["agent"]]["requests"] == one["requests"]
        assert after[one["agent"]]["given"] == one["given"]
