"""What the database holds after an import, in the words of the generator and of the cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from bench.history_corpus import Sum

_SUMS = """
    count(*) FILTER (WHERE d.is_request) AS requests, sum(d.input_tokens)::bigint AS input_tokens,
    sum(d.output_tokens)::bigint AS output_tokens, sum(d.cache_read_tokens)::bigint AS cache_read_tokens,
    sum(d.cache_write_tokens)::bigint AS cache_write_tokens,
    sum(d.cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
    sum(d.cache_write_1h_tokens)::bigint AS cache_write_1h_tokens, sum(d.web_searches)::bigint AS web_searches,
    count(*) FILTER (WHERE d.cost_usd IS NULL) AS unpriced, coalesce(sum(d.cost_usd), 0) AS cost_usd
"""
_BY = {
    "day": "(d.requested_at AT TIME ZONE 'UTC')::date::text",
    "model": "d.model",
    "session": "s.agent_session_id",
}
_FROM = "FROM token_usage_details d JOIN harness_sessions s ON (s.target_id, s.id) = (d.target_id, d.session_id)"
# Roll-ups are made by other statements than the ledger: they have to come to the same.
_ROLLED_UP = {
    "model_usage": "SELECT usage_date::text AS key, sum(total_tokens)::bigint AS tokens, sum(cost_usd) AS cost"
    " FROM model_usage GROUP BY usage_date",
    "progress_snapshots": "SELECT snapshot_date::text AS key, sum(tokens_today)::bigint AS tokens, sum(cost_today) AS cost"
    " FROM progress_snapshots GROUP BY snapshot_date HAVING sum(tokens_today) > 0",
    "session_usage": "SELECT usage_date::text AS key,"
    " sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens)::bigint AS tokens,"
    " sum(cost_usd) AS cost FROM session_usage GROUP BY usage_date",
}


def sums_by(connection: psycopg.Connection[Any], what: str) -> dict[str, Sum]:
    """The ledger summed by `day`, `model` or `session` (the agent's own id)."""
    return _sums(connection, f"SELECT {_BY[what]} AS key, {_SUMS} {_FROM} GROUP BY 1")


def total(connection: psycopg.Connection[Any], *, subagents_only: bool = False) -> Sum:
    """The whole ledger, or what subagents spent of it."""
    where = "WHERE d.subagent IS NOT NULL" if subagents_only else ""
    return _sums(connection, f"SELECT 'all' AS key, {_SUMS} {_FROM} {where}")["all"]


def rolled_up(connection: psycopg.Connection[Any]) -> dict[str, dict[str, tuple[int, Decimal]]]:
    """Tokens and cost by day, from each table that sums them up."""
    return {
        table: {
            row["key"]: (row["tokens"], row["cost"].normalize())
            for row in _rows(connection, statement)
        }
        for table, statement in _ROLLED_UP.items()
    }


def lines(connection: psycopg.Connection[Any]) -> tuple[int, int, int]:
    """Lines read, lines left out by the files' own count, and lines left out that are listed with a reason."""
    (row,) = _rows(
        connection,
        "SELECT sum(lines_read)::bigint AS read, sum(lines_left_out)::bigint AS left_out,"
        " (SELECT count(*) FROM left_out_lines WHERE reason <> '') AS listed FROM ledger_files",
    )
    return row["read"], row["left_out"], row["listed"]


def exact(sums: Mapping[str, Sum]) -> dict[str, Sum]:
    """The same with money in one form, so that 1.50 is 1.5."""
    return {key: normal(one) for key, one in sums.items()}


def normal(one: Sum) -> Sum:
    """One sum with its money in one form."""
    one.cost_usd = one.cost_usd.normalize()
    return one


def _sums(connection: psycopg.Connection[Any], statement: str) -> dict[str, Sum]:
    return {
        row.pop("key"): normal(msgspec.convert(row, Sum)) for row in _rows(connection, statement)
    }


def _rows(connection: psycopg.Connection[Any], statement: str) -> Iterable[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement).fetchall()
