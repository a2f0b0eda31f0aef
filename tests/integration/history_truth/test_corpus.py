"""An import of a generated history comes to the generator's own totals, to the token and by day.

`make faults` does it with 100 MB and 1 GB.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from bench.history_corpus import Expected, Plan, Sum, write_history
from tests.integration.history_truth import ledger
from tests.integration.history_truth.importing import import_history

MB = 1_000_000


def test_a_small_history(database_url: str, tmp_path: Path) -> None:
    check(database_url, tmp_path, Plan(2 * MB))


def test_lines_that_readers_stumble_over(database_url: str, tmp_path: Path) -> None:
    expected = check(database_url, tmp_path, Plan(2 * MB, seed=2, quirks=True))
    assert expected.left_out
    assert expected.cut


@pytest.mark.long
@pytest.mark.parametrize(("size", "quirks"), [(100, True), (1000, True), (1000, False)])
def test_a_large_history(database_url: str, tmp_path: Path, size: int, *, quirks: bool) -> None:
    check(database_url, tmp_path, Plan(size * MB, quirks=quirks))


def check(url: str, tmp_path: Path, plan: Plan) -> Expected:
    """Import a history and hold everything that is summed anywhere against it."""
    expected = write_history(tmp_path / "history", plan)
    import_history(url, tmp_path)
    with psycopg.connect(url) as connection:
        assert ledger.total(connection) == ledger.normal(expected.total)
        assert ledger.sums_by(connection, "day") == ledger.exact(expected.by_day)
        assert ledger.sums_by(connection, "model") == ledger.exact(expected.by_model)
        assert ledger.sums_by(connection, "session") == ledger.exact(expected.by_session)
        subagents = ledger.total(connection, subagents_only=True)
        assert subagents == ledger.normal(expected.subagents)
        days = {day: (tokens_of(one), one.cost_usd) for day, one in expected.by_day.items()}
        rolled_up = ledger.rolled_up(connection)
        assert rolled_up == dict.fromkeys(rolled_up, days)
        assert ledger.lines(connection) == (expected.lines, expected.left_out, expected.left_out)
    return expected


def tokens_of(one: Sum) -> int:
    return one.input_tokens + one.output_tokens + one.cache_read_tokens + one.cache_write_tokens
