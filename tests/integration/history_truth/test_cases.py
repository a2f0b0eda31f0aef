"""Every rule of counting, and every place where ccusage is wrong: one import of all cases, each with its right figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.integration.history_truth.cases import CASES, Case, Figures
from tests.integration.history_truth.importing import import_history

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

_FIGURES = """
SELECT count(*) FILTER (WHERE is_request), sum(input_tokens)::bigint, sum(output_tokens)::bigint,
       sum(cache_read_tokens)::bigint, sum(cache_write_5m_tokens)::bigint, sum(cache_write_1h_tokens)::bigint,
       sum(cache_write_tokens)::bigint, sum(web_searches)::bigint, sum(cost_usd),
       count(*) FILTER (WHERE cost_usd IS NULL), count(subagent),
       array_agg(DISTINCT (requested_at AT TIME ZONE 'UTC')::date::text)
FROM token_usage_details d
WHERE (d.target_id, d.session_id) IN
      (SELECT target_id, id FROM harness_sessions WHERE agent_session_id = ANY(%s))
"""
_LEFT_OUT = """
SELECT count(*) FROM left_out_lines l JOIN harness_sessions s ON (s.target_id, s.id) = (l.target_id, l.session_id)
WHERE s.agent_session_id = ANY(%s) AND l.reason <> ''
"""


@pytest.fixture(scope="module")
def imported(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A connection to a database into which the files of all cases were imported together."""
    folder = tmp_path_factory.mktemp("cases")
    for case in CASES:
        for name, content in case.files.items():
            path = folder / "history" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    import_history(module_database_url, folder)
    with psycopg.connect(module_database_url) as connection:
        yield connection


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(imported: psycopg.Connection[Any], case: Case) -> None:
    assert figures_of(imported, case) == case.right


def figures_of(connection: psycopg.Connection[Any], case: Case) -> Figures:
    """What the ledger has for the sessions of a case."""
    row = connection.execute(_FIGURES, [case.session_ids]).fetchone()
    left_out = connection.execute(_LEFT_OUT, [case.session_ids]).fetchone()
    assert row is not None
    assert left_out is not None
    counts, (searches, cost, unpriced, in_subagents, days) = row[:7], row[7:]
    requests, fresh, output, read, write_5m, write_1h, write = (count or 0 for count in counts)
    return Figures(
        *(requests, fresh, output, read, write_5m, write_1h, write, searches or 0),
        cost_usd=None if cost is None else f"{cost.normalize():f}",
        unpriced=unpriced,
        in_subagents=in_subagents,
        left_out=left_out[0],
        days=tuple(days or ()),
    )
