"""Sums of many sessions and of their targets' days, after a batch: what `acd.ledger.roll_up` does for one session."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from acd.core.families import family_of
from acd.database.connection import Transaction
from acd.history.requests import Home
from acd.ledger.roll_up import balance_of
from acd.ledger.rows import json_rows


class Day(NamedTuple):
    """A day of a target."""

    target_id: UUID
    day: date


async def roll_up(tx: Transaction, sessions: Collection[Home], days: set[Day]) -> None:
    """Balance sessions against their agents' reports and sum them up, then their targets' days.

    Args:
        tx: holds the locks of their targets.
        sessions: whose rows were touched.
        days: on which one of them began, or was thought to.
    """
    rows = rows_of(sessions)
    await _balance(tx, sessions, rows)
    touched = await tx.fetch_all("history.session_usage", rows=rows)
    days = days | {Day(row["target_id"], row["day"]) for row in touched}
    await tx.execute("history.session_totals", rows=rows)
    models = await tx.fetch_all("history.main_models", rows=rows)
    if models:
        named = [{**row, "family": family_of(row["model"]) or row["model"]} for row in models]
        await tx.execute("history.put_models", rows=json_rows(named))
    await tx.execute("history.session_retries", rows=rows)
    await _roll_up_days(tx, days)
    targets = sorted({home.target_id for home in sessions})
    await tx.execute("history.targets_worked", ids=targets)


async def _roll_up_days(tx: Transaction, days: Iterable[Day]) -> None:
    by_target: dict[UUID, list[date]] = {}
    for target_id, day in sorted(days):
        by_target.setdefault(target_id, []).append(day)
    if not by_target:
        return
    rows = [{"target_id": target, "day": day} for target, of in by_target.items() for day in of]
    await tx.execute("history.model_usage", rows=json_rows(rows))
    for target_id, of_target in by_target.items():
        await tx.execute("rollups.snapshots", target_id=target_id, days=of_target)


def rows_of(sessions: Collection[Home]) -> str:
    """Sessions as the parameter of a query."""
    return json_rows(
        [{"target_id": home.target_id, "session_id": home.session_id} for home in sessions]
    )


async def _balance(tx: Transaction, sessions: Collection[Home], rows: str) -> None:
    """Rows for what agents report beyond the requests. A session that repeats others' requests has none: nobody can tell."""
    reports = _by_home(await tx.fetch_all("history.reports_of", rows=rows))
    if not reports:
        return
    own = [home for home, of_session in reports.items() if not of_session[0]["copies"]]
    spent = _by_home(await tx.fetch_all("history.spent_by_model", rows=rows_of(own)))
    rests: list[dict[str, object]] = []
    reported: list[dict[str, object]] = []
    for home in own:
        balance = balance_of(home.session_id, reports[home], spent.get(home, []))
        ids: dict[str, object] = {"target_id": home.target_id, "session_id": home.session_id}
        rests += [row | ids for row in balance.rests]
        cost = balance.reported["reported_cost_usd"]
        reported.append({**balance.reported, "reported_cost_usd": _text(cost), **ids})
    if rests:
        await tx.execute("history.put_rests", rows=json_rows(rests))
    keys = [row["request_key"] for row in rests]
    await tx.execute("history.drop_other_rests", rows=rows_of(reports), keys=keys)
    await tx.execute("history.put_reported", rows=json_rows(reported))
    await tx.execute("history.clear_reported", rows=rows_of(set(reports) - set(own)))


def _by_home(rows: Iterable[dict[str, Any]]) -> dict[Home, list[dict[str, Any]]]:
    found: dict[Home, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(Home(row["target_id"], row["session_id"]), []).append(row)
    return found


def _text(money: object) -> str | None:
    """A decimal as text: on its way as JSON no digit is lost."""
    return f"{money:f}" if isinstance(money, Decimal) else None
