"""Holds what acd recorded against what the endpoint itself wrote down: request by request, then every sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from acd.database.connection import Database
from acd.reports.totals import disagreements, four_ways
from acd.testing.endpoint import Endpoint, Served, ServedTotals, total, total_by_model
from acd.testing.prices import cost_of
from tests.acceptance.genuine.stage import Row, Stage

_LEDGER = """
SELECT split_part(request_key, ':', 2) AS message_id, session_id, model, request_ids, tools, input_tokens,
       output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_write_tokens, cost_usd
FROM token_usage_details WHERE is_request
"""
_RESTS = "SELECT session_id, model FROM token_usage_details WHERE NOT is_request ORDER BY model"
_BY_MODEL = """
SELECT model, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
       sum(cache_read_tokens) AS cache_read_tokens, sum(cache_write_tokens) AS cache_write_tokens,
       sum(cost_usd) AS cost_usd, sum(request_count) AS requests
FROM model_usage GROUP BY model
"""


def by_session(served: Iterable[Served]) -> dict[str, list[Served]]:
    """Requests, refused and broken ones too, by the agent's session; sessions in order of their first request."""
    found: dict[str, list[Served]] = {}
    for each in served:
        found.setdefault(each.session_id, []).append(each)
    return found


def total_tokens(served: Iterable[Served]) -> int:
    """The four kinds of complete requests together."""
    return sum(_tokens(total(served)))


def assert_one_after_another(endpoint: Endpoint) -> None:
    """No session asked for anything once another had begun: there were never two agents at a time."""
    order = [served.session_id for served in endpoint.served]
    turns = [here for here, before in zip(order, ["", *order], strict=False) if here != before]
    assert Counter(turns) == Counter(set(turns))


async def assert_books_agree(
    stage: Stage, endpoint: Endpoint, database: Database, *, with_broken: bool = False
) -> None:
    """Every complete request is one row with the served figures, every sum is theirs, and nothing else is anywhere.

    `with_broken`: so is every request that broke off, with what the beginning of its reply had told; the agent, which
    was killed then, did not count it.
    """
    served = [_whole(each) if with_broken else each for each in endpoint.served]
    _assert_rows(stage, served)
    assert stage.rows(_RESTS) == []
    _assert_sessions(stage, served, endpoint.served)
    _assert_models(stage, served)
    totals = await four_ways(database)
    assert disagreements(totals) == []
    whole = total(served)
    assert {each.total_tokens for each in totals} == {total_tokens(served)}
    assert {each.cost_usd for each in totals} == {whole.cost_usd}


def _whole(served: Served) -> Served:
    """A request that broke off, as if it had been meant to end there."""
    if served.complete or served.message_id is None:
        return served
    cost = cost_of(served.model, served.tokens)
    return msgspec.structs.replace(served, complete=True, cost_usd=cost)


def _assert_rows(stage: Stage, served: list[Served]) -> None:
    recorded = {row.pop("message_id"): _told(row) for row in stage.rows(_LEDGER)}
    assert recorded == {each.message_id: _served(each) for each in served if each.complete}


def _told(row: Row) -> Row:
    return row | {"session_id": str(row["session_id"])}


def _served(served: Served) -> Row:
    tokens = served.tokens
    return {
        "session_id": served.session_id,
        "model": served.model,
        "request_ids": [served.request_id],
        "tools": served.tools,
        "input_tokens": tokens.input_tokens,
        "output_tokens": tokens.output_tokens,
        "cache_read_tokens": tokens.cache_read_tokens,
        "cache_write_5m_tokens": tokens.cache_write_5m_tokens,
        "cache_write_1h_tokens": tokens.cache_write_1h_tokens,
        "cache_write_tokens": tokens.cache_write_tokens,
        "cost_usd": served.cost_usd,
    }


def _assert_sessions(stage: Stage, served: list[Served], counted: list[Served]) -> None:
    """`counted` is what the agents themselves added up: their reports differ from ours by nothing else."""
    expected, reported = by_session(served), by_session(counted)
    sessions = {str(row["id"]): row for row in stage.sessions()}
    assert set(sessions) == set(expected)
    for session_id, row in sessions.items():
        whole, said = total(expected[session_id]), total(reported[session_id])
        assert _figures(row) == (*_tokens(whole), whole.cost_usd)
        assert row["request_count"] == whole.requests
        assert row["unpriced_requests"] == 0
        assert row["cost_gap_usd"] in {None, said.cost_usd - whole.cost_usd}
        if row["status"] == "completed":
            assert row["cost_gap_usd"] == 0


def _assert_models(stage: Stage, served: list[Served]) -> None:
    recorded = {row["model"]: (*_figures(row), row["requests"]) for row in stage.rows(_BY_MODEL)}
    expected = total_by_model(served)
    assert recorded == {
        model: (*_tokens(each), each.cost_usd, each.requests) for model, each in expected.items()
    }


def _figures(row: Row) -> tuple[int, int, int, int, Decimal]:
    return (
        row["input_tokens"],
        row["output_tokens"],
        row["cache_read_tokens"],
        row["cache_write_tokens"],
        row["cost_usd"],
    )


def _tokens(served: ServedTotals) -> tuple[int, int, int, int]:
    tokens = served.tokens
    return (
        tokens.input_tokens,
        tokens.output_tokens,
        tokens.cache_read_tokens,
        tokens.cache_write_tokens,
    )
