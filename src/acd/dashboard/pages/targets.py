"""All targets at `/targets`: progress, cost, state; searched, filtered and sorted by the address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from acd.core.contract import Moment, Row
from acd.core.figures import FeatureCostSum, Report
from acd.core.queue_rows import QueueEntry
from acd.core.text import WITHOUT_NUL
from acd.dashboard.lately import lately
from acd.dashboard.shell import Entry, GivenShell
from acd.database.connection import Database
from acd.queue.standing import read_queue
from acd.reports import figures, progress, targets, used
from acd.reports.rows import row_of, rows_of
from acd.web.parts import GivenParts, Parts

ENTRY = Entry("Targets", "/targets", "t", "targets")
DAYS_SHOWN = 14
MOST_SHOWN = 50
"""Rows that come at once; the address can ask for all."""
_LONGEST = 200

StateWord = Literal["", "running", "due", "waiting", "blocked", "complete", "paused", "idle"]
SortWord = Literal["priority", "name", "features", "cost", "cost-per-feature", "sessions", "last"]
Order = Literal["asc", "desc"]

router = APIRouter()


class LastSession(Row, frozen=True):
    """Of a `SessionBrief` what the table shows."""

    id: UUID
    session_number: int | None
    model: str
    status: str
    started_at: Moment


class Target(Row, frozen=True):
    """Of a `TargetRow` what the table shows: the rest, which is most of it, is not decoded."""

    repo_id: str
    name: str
    priority: int
    enabled: bool
    focus: str | None
    total_features: int
    passing_features: int
    verified_features: int
    percent_complete: Decimal
    features_at: Moment | None
    status: str
    last_session_at: Moment | None
    total_sessions: int
    total_tokens: int
    total_cost_usd: Decimal
    unpriced_requests: int
    sessions: list[LastSession]


@dataclass(frozen=True)
class Line:
    """A row of the table. `cost_per_feature` is that of the last 30 days, without `unpriced` requests; `passing` by day."""

    target: Target
    entry: QueueEntry | None
    cost_per_feature: Decimal | None
    unpriced: int
    passing: list[int]

    @property
    def state(self) -> str:
        """Where it stands in the queue."""
        return self.entry.state if self.entry else self.target.status


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    q: str
    state: StateWord
    sort: SortWord
    order: Order
    every: bool

    @property
    def values(self) -> dict[str, str | None]:
        """As they stand in the address."""
        return {"q": self.q, "state": self.state, "sort": self.sort, "order": self.order}

    def sorted_by(self, column: SortWord) -> dict[str, str | None]:
        """The address's values with another column to sort by, or with the order turned round."""
        first: Order = "desc" if column in _GREATEST_FIRST else "asc"
        turned: Order = "asc" if self.order == "desc" else "desc"
        order = turned if column == self.sort else first
        return {**self.values, "sort": column, "order": order}


_GREATEST_FIRST = frozenset({"features", "cost", "cost-per-feature", "sessions", "last"})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_KEYS: Mapping[SortWord, Callable[[Line], Any]] = {
    "priority": lambda line: line.target.priority,
    "name": lambda line: line.target.name.lower(),
    "features": lambda line: line.target.percent_complete,
    "cost": lambda line: line.target.total_cost_usd,
    "cost-per-feature": lambda line: line.cost_per_feature or Decimal(-1),
    "sessions": lambda line: line.target.total_sessions,
    "last": lambda line: line.target.last_session_at or _LONG_AGO,
}


@router.get("/targets")
async def show_targets(
    request: Request,
    parts: GivenParts,
    shell: GivenShell,
    q: Annotated[str, Query(max_length=_LONGEST, pattern=WITHOUT_NUL)] = "",
    state: StateWord = "",
    sort: SortWord = "priority",
    order: Order = "asc",
    every: Literal["", "1"] = "",
) -> Response:
    """Those that the address asks for."""
    asked = Asked(q.strip(), state, sort, order, every == "1")
    return shell.page(request, "targets.html", {"asked": asked, **await _figures(parts, asked)})


async def _cost_per_feature(db: Database) -> Report[FeatureCostSum]:
    period = await figures.period(db, "target")
    return row_of(await figures.cost_per_feature(db, period), Report[FeatureCostSum])


async def _figures(parts: Parts, asked: Asked) -> dict[str, Any]:
    db = lately(parts.db)
    queue, costs, lines, rows, listed = await asyncio.gather(
        read_queue(db, parts.settings),
        _cost_per_feature(db),
        progress.lines(db, days=DAYS_SHOWN),
        targets.recent(db, q=asked.q or None),
        used.priced_how(db),
    )
    entries = {entry.target.repo_id: entry for entry in queue.targets}
    dear = {row.key: row for row in costs.rows}
    passing = row_of(lines, dict[str, list[int]])
    found = [
        _line(row, entries.get(row.repo_id), dear.get(row.repo_id), passing.get(row.repo_id, []))
        for row in rows_of(rows, Target)
    ]
    counts: dict[str, int] = {}
    for line in found:
        counts[line.state] = counts.get(line.state, 0) + 1
    shown = [line for line in found if asked.state in ("", line.state)]
    shown.sort(key=_KEYS[asked.sort], reverse=asked.order == "desc")
    return {
        "lines": shown if asked.every else shown[:MOST_SHOWN],
        "left": 0 if asked.every else max(0, len(shown) - MOST_SHOWN),
        "chosen": len(shown),
        "counts": counts,
        "all": len(queue.targets),
        "found": len(found),
        "at_list_price": listed,
    }


def _line(
    row: Target, entry: QueueEntry | None, dear: FeatureCostSum | None, passing: list[int]
) -> Line:
    if dear is None or dear.features_completed <= 0:
        return Line(row, entry, None, 0, passing)
    return Line(row, entry, dear.cost_per_feature, dear.unpriced_requests, passing)
