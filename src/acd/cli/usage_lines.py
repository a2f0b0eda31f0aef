"""What `acd usage` says, however it is drawn: by `usage_tables` as everything else, by `short_usage` without loading that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from acd.cli.amounts import listed, spent
from acd.cli.columns import Column
from acd.cli.counts import count_of
from acd.dashboard.formats import tokens

DAYS = {"day": 30, "week": 84, "month": 366}
OTHER_DAYS = 7
MOST_ROWS = 100

FIGURES = (
    Column("Requests", right=True, needs=60),
    Column("Input", right=True, needs=80),
    Column("Output", right=True),
    Column("Cached", right=True, needs=70),
    Column("Written", right=True, needs=80),
    Column("Tokens", right=True),
    Column("Cost", right=True),
)
MODELS = Column("Models", flexible=True, needs=110)
_WITHOUT_MODELS = frozenset({"model", "feature", "commit", "target"})
_SHA = 10
_NONE = {"branch": "no branch", "feature": "no feature", "commit": "no commit"}


class Sum(Protocol):
    """`acd.core.usage_rows.UsageSum`, or what has the same fields."""

    @property
    def key(self) -> str | None: ...  # noqa: D102 - there
    @property
    def name(self) -> str | None: ...  # noqa: D102
    @property
    def requests(self) -> int: ...  # noqa: D102
    @property
    def unpriced_requests(self) -> int: ...  # noqa: D102
    @property
    def input_tokens(self) -> int: ...  # noqa: D102
    @property
    def output_tokens(self) -> int: ...  # noqa: D102
    @property
    def cache_read_tokens(self) -> int: ...  # noqa: D102
    @property
    def cache_write_tokens(self) -> int: ...  # noqa: D102
    @property
    def total_tokens(self) -> int: ...  # noqa: D102
    @property
    def cost_usd(self) -> Decimal: ...  # noqa: D102
    @property
    def models(self) -> list[str]: ...  # noqa: D102


class Report(Protocol):
    """`acd.core.usage_rows.UsageReport`, or what has the same fields."""

    @property
    def since(self) -> datetime: ...  # noqa: D102 - there
    @property
    def group_by(self) -> str: ...  # noqa: D102
    @property
    def total(self) -> Sum: ...  # noqa: D102
    @property
    def rows(self) -> Sequence[Sum]: ...  # noqa: D102
    @property
    def omitted(self) -> int: ...  # noqa: D102
    @property
    def list_price_cost_usd(self) -> Decimal: ...  # noqa: D102


class Told(NamedTuple):
    """A table, empty where nothing was spent, and sentences, each after a blank line where there is a table."""

    columns: list[Column]
    rows: list[list[str]]
    sentences: list[str]


def told(report: Report) -> Told:
    """The table, with a line for all where there are several, and what is to be said of it."""
    if not report.rows:
        return Told([], [], [nothing_since(report.since)])
    with_models = report.group_by not in _WITHOUT_MODELS
    rows = [_line(_named(report.group_by, row), row, with_models) for row in report.rows]
    if len(rows) > 1 or report.omitted:
        rows.append(_line("all", report.total, with_models))
    columns = [Column(report.group_by.capitalize(), flexible=True), *FIGURES]
    return Told([*columns, MODELS] if with_models else columns, rows, _sentences(report))


def nothing_since(since: datetime) -> str:
    """What is said where there are no rows."""
    return f"Nothing was spent since {since:%Y-%m-%d %H:%M}. `--days` looks further back."


def figures(row: Sum) -> list[str]:
    """The cells of `FIGURES`."""
    return [
        f"{row.requests:,}",
        tokens(row.input_tokens),
        tokens(row.output_tokens),
        tokens(row.cache_read_tokens),
        tokens(row.cache_write_tokens),
        tokens(row.total_tokens),
        spent(row.cost_usd, row.unpriced_requests),
    ]


def unpriced(total: Sum) -> list[str]:
    """What is said where some of it has no price."""
    if not total.unpriced_requests:
        return []
    requests = count_of(total.unpriced_requests, "request")
    return [f"+? {requests} without a known price: `acd prices`."]


def billed(total: Sum, listed_usd: Decimal) -> list[str]:
    """What is said where some of it is at list price."""
    said = listed(total.cost_usd, listed_usd)
    return [said] if said else []


def _sentences(report: Report) -> list[str]:
    said = []
    if report.omitted:
        said.append(f"{report.omitted:,} more are in the sum only: `--limit`.")
    return said + billed(report.total, report.list_price_cost_usd) + unpriced(report.total)


def _named(by: str, row: Sum) -> str:
    if row.key is None:
        return _NONE.get(by, "unknown")
    if by == "commit":
        return f"{row.key[:_SHA]} {row.name or ''}"
    if by == "session":
        return row.name if row.name and "#" in row.name else f"{row.name or ''} {row.key[:8]}"
    return row.key


def _line(name: str, row: Sum, with_models: bool) -> list[str]:
    return [name, *figures(row), *([", ".join(row.models)] if with_models else [])]
