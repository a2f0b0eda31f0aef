"""Sums that follow from rows: each session balanced against its agent's reports, then its totals, then its days.

Always recomputed from the rows below, never counted up, and under the lock of their target (rule 3 of the records).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from acd.core.models import Usage
from acd.database.connection import Transaction
from acd.ledger.balance import Spent, decode_report, reported_by_model, rests
from acd.ledger.rows import Batch, json_rows


async def roll_up_session(
    tx: Transaction, target_id: UUID, session_id: UUID, batch: Batch
) -> set[date]:
    """Balance a session that a batch has touched and sum it up; the days touched."""
    ids = {"target_id": target_id, "session_id": session_id}
    days: set[date] = set()
    if batch.usage or batch.reports:
        days = await sum_up_session(tx, target_id, session_id)
    if batch.errors or batch.commits or batch.events:
        await tx.execute("rollups.session_counts", **ids)
    return days


async def sum_up_session(tx: Transaction, target_id: UUID, session_id: UUID) -> set[date]:
    """Balance a session whose ledger rows have changed and sum it up; the days touched."""
    ids = {"target_id": target_id, "session_id": session_id}
    await _balance(tx, target_id, session_id)
    rows = await tx.fetch_all("rollups.session_usage", **ids)
    await tx.execute("rollups.session_totals", **ids)
    return {row["usage_date"] for row in rows}


async def roll_up_days(tx: Transaction, target_id: UUID, days: set[date]) -> None:
    """Sum up a target's days."""
    if days:
        ordered = sorted(days)
        await tx.execute("rollups.model_usage", target_id=target_id, days=ordered)
        await tx.execute("rollups.snapshots", target_id=target_id, days=ordered)


class Balance(NamedTuple):
    """What a session's reports say beside its requests: rows for what they hold beyond them, and what is reported in all."""

    rests: list[dict[str, object]]
    reported: dict[str, object]


def balance_of(
    session_id: UUID, reports: Sequence[Mapping[str, Any]], spent: Sequence[Mapping[str, Any]]
) -> Balance:
    """Set a session's reports against its requests.

    Args:
        session_id: whose they are.
        reports: rows of `ledger.reports_of`, at least one.
        spent: rows of `ledger.spent_by_model`.
    """
    reported = reported_by_model(decode_report(row["models"], row["own"]) for row in reports)
    times = [row["last_requested_at"] for row in spent] or [row["reported_at"] for row in reports]
    left: list[dict[str, object]] = [
        {
            "request_key": f"unattributed:{session_id}:{rest.model}",
            "model": rest.model,
            **msgspec.structs.asdict(rest.usage),
            "cost_usd": None if rest.cost_usd is None else f"{rest.cost_usd.normalize():f}",
            "requested_at": max(times),
        }
        for rest in rests(reported, {row["model"]: _spent(row) for row in spent})
    ]
    costs = [report.cost_usd for report in reported.values() if report.cost_usd is not None]
    finals = [row for row in reports if row["final"]]
    return Balance(
        left,
        {
            "reported_cost_usd": sum(costs, Decimal(0)) if costs or not reported else None,
            "turn_count": _sum_known(finals, "turns"),
            "api_duration_ms": max((row["api_duration_ms"] or 0 for row in reports), default=None),
        },
    )


async def _balance(tx: Transaction, target_id: UUID, session_id: UUID) -> None:
    ids = {"target_id": target_id, "session_id": session_id}
    rows = await tx.fetch_all("ledger.reports_of", **ids)
    if not rows:
        return
    balance = balance_of(session_id, rows, await tx.fetch_all("ledger.spent_by_model", **ids))
    if balance.rests:
        await tx.execute("ledger.put_rests", rows=json_rows(balance.rests), **ids)
    keys = [row["request_key"] for row in balance.rests]
    await tx.execute("ledger.drop_other_rests", keys=keys, **ids)
    await tx.execute("ledger.put_reported", **balance.reported, **ids)


def _sum_known(rows: Sequence[Mapping[str, object]], column: str) -> int | None:
    known = [value for row in rows if isinstance(value := row[column], int)]
    return sum(known) if known else None


def _spent(row: Mapping[str, object]) -> Spent:
    usage = msgspec.convert({name: row[name] for name in Usage.__struct_fields__}, Usage)
    return Spent(
        usage,
        msgspec.convert(row["cost_usd"], Decimal),
        msgspec.convert(row["unpriced"], int),
    )
