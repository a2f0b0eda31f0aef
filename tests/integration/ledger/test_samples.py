"""Every recorded session of the genuine CLI, through the files into the tables, against figures worked out by hand.

The figures come from reading the recordings by the rules of `claude-code.md`, sections 3 to 5, not from this program.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger.catch_up import open_source
from acd.ledger.price import PriceList
from acd.reports.totals import disagreements, four_ways
from tests.integration.ledger.stage import SAMPLES, end, play_sample, select, session_of


class Figures(NamedTuple):
    """What a session row must hold: requests, the four token kinds, cost, what the agent reported, turns, …"""

    requests: int
    fresh: int
    output: int
    read: int
    written: int
    cost: str
    reported: str | None
    turns: int | None
    retries: int = 0
    fallbacks: int = 0
    errors: tuple[tuple[str, str | None], ...] = ()
    models: tuple[str, ...] = ("claude-opus-5-5",)
    subagents: tuple[str, ...] = ()


FIGURES = {
    "a_success": Figures(5, 525, 125, 6800, 2000, "0.01656", "0.01656", 5),
    "b_parallel": Figures(2, 24, 84, 1000, 1000, "0.006976", "0.006976", 4),
    "c_subagent": Figures(
        4, 3008, 228, 2700, 2700, "0.030632", "0.030632", 2, subagents=("general-purpose",)
    ),
    "i_maxturns": Figures(
        3, 3000, 300, 0, 0, "0.018", "0.018", 4, errors=(("max_turns", "error_max_turns"),)
    ),
    "k_sigkill": Figures(1, 31, 71, 0, 100, "0.002044", None, None),
    "k_sigterm": Figures(1, 31, 71, 0, 100, "0.002044", "0.002044", None),
    "l_partial": Figures(5, 525, 125, 6800, 2000, "0.01656", "0.01656", 5),
    "m_fallback": Figures(
        5,
        525,
        125,
        6800,
        2000,
        "0.00896",
        "0.00896",
        5,
        retries=2,
        fallbacks=1,
        errors=(("overloaded", "529"), ("overloaded", "529")),
        models=("claude-sonnet-5",),
    ),
    "n_deny": Figures(
        2, 64, 144, 100, 100, "0.003656", "0.003656", 2, errors=(("permission", "denied"),)
    ),
    "q_oauth_e429u": Figures(
        0, 0, 0, 0, 0, "0", "0", 1, errors=(("usage_limit", "429"),), models=()
    ),
    "q_oauth_rlwarn": Figures(
        1, 17, 19, 0, 0, "0.000224", "0.000224", 1, models=("claude-sonnet-5-5",)
    ),
    "r1_e401": Figures(
        0, 0, 0, 0, 0, "0", "0", 1, 1, errors=(("auth", "401"), ("auth", "401")), models=()
    ),
    "r1_e404": Figures(0, 0, 0, 0, 0, "0", "0", 1, errors=(("model", "404"),), models=()),
    "r1_e429": Figures(
        0, 0, 0, 0, 0, "0", "0", 1, 1, errors=(("rate_limit", "429"),) * 2, models=()
    ),
    "r1_e529": Figures(
        0, 0, 0, 0, 0, "0", "0", 1, 1, errors=(("overloaded", "529"),) * 2, models=()
    ),
    "r1_refused": Figures(
        0,
        0,
        0,
        0,
        0,
        "0",
        "0",
        1,
        1,
        errors=(("network", None), ("network", "connection_failed")),
        models=(),
    ),
    "s_resume1": Figures(1, 17, 19, 0, 0, "0.000448", "0.000448", 1),
    "s_resume2": Figures(1, 17, 19, 0, 0, "0.000448", "0.000448", 1),
    "v197_success": Figures(
        5, 525, 125, 6800, 2000, "0.0224", "0.0224", 5, models=("claude-opus-4-8",)
    ),
}


def test_every_sample_is_here() -> None:
    assert {path.stem for path in SAMPLES.glob("*.exit")} == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
async def test_a_recorded_session(database: Database, settings: Settings, name: str) -> None:
    folder = session_of(settings, 1)
    play_sample(folder, name)
    end(folder)
    source = open_source(folder.path, database, PriceList())
    assert source is not None
    await source.catch_up()

    expected = FIGURES[name]
    [row] = await select(database, "SELECT * FROM harness_sessions")
    assert row["request_count"] == expected.requests
    assert row["input_tokens"] == expected.fresh
    assert row["output_tokens"] == expected.output
    assert row["cache_read_tokens"] == expected.read
    assert row["cache_write_tokens"] == expected.written
    assert row["cost_usd"] == Decimal(expected.cost)
    reported = None if expected.reported is None else Decimal(expected.reported)
    assert row["reported_cost_usd"] == reported
    assert row["cost_gap_usd"] == (None if reported is None else Decimal(0))
    assert row["turn_count"] == expected.turns
    assert row["retry_count"] == expected.retries
    assert row["model_fallbacks"] == expected.fallbacks
    assert row["unpriced_requests"] == 0
    errors = await select(
        database, "SELECT error_type, error_code FROM harness_errors ORDER BY source_offset"
    )
    assert tuple((e["error_type"], e["error_code"]) for e in errors) == expected.errors
    usage = await select(
        database,
        "SELECT array_agg(DISTINCT model) AS models, array_agg(DISTINCT subagent) FILTER (WHERE subagent IS NOT NULL) AS agents FROM token_usage_details",
    )
    assert tuple(usage[0]["models"] or ()) == expected.models
    assert tuple(usage[0]["agents"] or ()) == expected.subagents
    assert await select(database, "SELECT * FROM left_out_lines") == []
    assert disagreements(await four_ways(database)) == []


async def test_5m_and_1h_writes_are_kept_apart(database: Database, settings: Settings) -> None:
    folder = session_of(settings, 1)
    play_sample(folder, "c_subagent")
    source = open_source(folder.path, database, PriceList())
    assert source is not None
    await source.catch_up()
    [row] = await select(
        database,
        "SELECT sum(cache_write_5m_tokens) AS m5, sum(cache_write_1h_tokens) AS h1 FROM token_usage_details",
    )
    assert (row["m5"], row["h1"]) == (2700, 0)


async def test_the_rest_of_a_resumed_session_is_its_own_row(
    database: Database, settings: Settings
) -> None:
    """s_resume2 has no transcript: its one line says 1 token out, its report 19."""
    folder = session_of(settings, 1)
    play_sample(folder, "s_resume2")
    source = open_source(folder.path, database, PriceList())
    assert source is not None
    await source.catch_up()
    rows = await select(
        database,
        "SELECT is_request, input_tokens, output_tokens, cost_usd FROM token_usage_details ORDER BY is_request DESC",
    )
    assert [tuple(row.values()) for row in rows] == [
        (True, 17, 1, Decimal("0.000088")),
        (False, 0, 18, Decimal("0.00036")),
    ]
