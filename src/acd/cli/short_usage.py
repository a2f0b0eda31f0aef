"""`acd usage` by day, week, month, model, target, agent, branch or session, without loading the program for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from acd.cli import plain, short
from acd.cli.usage_lines import DAYS, MOST_ROWS, OTHER_DAYS, Told, told
from acd.database.quick import Quick

_SUMMED = ("day", "week", "month", "model", "target", "agent", "branch", "session")
"""What sums by day are kept of (`acd.reports.used`)."""

_WORDS: dict[tuple[str, ...], str] = {
    (): "model",
    ("--daily",): "day",
    ("--weekly",): "week",
    ("--monthly",): "month",
    **{("--by", key): key for key in _SUMMED},
}


class _Sum(NamedTuple):
    """`acd.core.usage_rows.UsageSum`."""

    key: str | None
    name: str | None
    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    total_tokens: int
    cost_usd: Decimal
    models: list[str]


_KEYS = {name: re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in _Sum._fields}
"""What they are called in the answers of queries."""


class _Report(NamedTuple):
    """`acd.core.usage_rows.UsageReport`."""

    since: datetime
    group_by: str
    total: _Sum
    rows: Sequence[_Sum]
    omitted: int
    list_price_cost_usd: Decimal


def done(words: list[str]) -> bool:
    """Whether the answer was printed. Where not, nothing was.

    Args:
        words: of the command line, behind the command.
    """
    by = _WORDS.get(tuple(words))
    if by is None:
        return False
    try:
        paper = plain.paper(os.environ)
        with short.opened(short.settings_by(os.environ), "usage") as quick:
            report = _read(quick, by)
        text = _drawn(told(report), paper)
    except short.LEFT:
        return False
    plain.put(text)
    return True


def _read(quick: Quick, by: str) -> _Report:
    """What `acd.reports.used.usage` reads of the last days in the database's zone, by the same queries."""
    _, today = quick.row("used.zone", zone=None)
    first = date.fromisoformat(today or "") - timedelta(days=DAYS.get(by, OTHER_DAYS) - 1)
    asked = {"first": first.isoformat(), "last": None, "repo_id": None, "agent": None}
    (found,) = quick.row("used.of_days", by=by, most=str(MOST_ROWS), **asked)
    (at_list_price,) = quick.row(
        "used.at_list_price", whole_days="true", since=first.isoformat(), until=None, **asked
    )
    whole, *rows = json.loads(found or "", parse_float=Decimal)
    return _Report(
        since=datetime.combine(first, time()),  # only its day is shown, in that zone
        group_by=by,
        total=_sum(whole),
        rows=[_sum(row) for row in rows],
        omitted=max(0, whole["rowCount"] - len(rows)),
        list_price_cost_usd=Decimal(at_list_price or 0),
    )


def _sum(row: dict[str, Any]) -> _Sum:
    found = _Sum(**{name: row[key] for name, key in _KEYS.items()})
    return found._replace(cost_usd=Decimal(found.cost_usd))


def _drawn(said: Told, on: plain.Paper) -> str:
    lines = [plain.table(said.columns, said.rows, on)] if said.rows else []
    blank = bool(said.rows)
    return "".join([*lines, *(plain.sentence(s, on, after_blank=blank) for s in said.sentences)])
