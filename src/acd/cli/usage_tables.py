"""How `acd usage` looks: a table that fits the terminal, or CSV with every digit."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from acd.cli.figures import count_of, moment, money, outcome, spent, tokens
from acd.cli.output import Cell, Column, say, show_table
from acd.core.usage_rows import Block, BlockReport, UsageReport, UsageSum

_FIGURES = (
    Column("Requests", right=True, needs=60),
    Column("Input", right=True, needs=80),
    Column("Output", right=True),
    Column("Cached", right=True, needs=70),
    Column("Written", right=True, needs=80),
    Column("Tokens", right=True),
    Column("Cost", right=True),
)
_MODELS = Column("Models", flexible=True, needs=110)
_WITHOUT_MODELS = frozenset({"model", "feature", "commit", "target"})
_SHA = 10
_NONE = {"branch": "no branch", "feature": "no feature", "commit": "no commit"}


def show_usage(report: UsageReport) -> None:
    """The table, with a line for all where there are several."""
    if not report.rows:
        say(f"Nothing was spent since {report.since:%Y-%m-%d %H:%M}. `--days` looks further back.")
        return
    with_models = report.group_by not in _WITHOUT_MODELS
    lines = [_line(_named(report.group_by, row), row, with_models) for row in report.rows]
    if len(lines) > 1 or report.omitted:
        lines.append(_line("all", report.total, with_models))
    columns = [Column(report.group_by.capitalize(), flexible=True), *_FIGURES]
    show_table([*columns, _MODELS] if with_models else columns, lines)
    if report.omitted:
        say(f"{report.omitted:,} more are in the sum only: `--limit`.", after_blank=True)
    if report.list_price_cost_usd:
        say(
            f"{money(report.list_price_cost_usd)} of it is at list price: of sessions under a subscription.",
            after_blank=True,
        )
    _tell_unpriced(report.total)


def show_blocks(report: BlockReport) -> None:
    """The blocks, and what the one that runs will come to."""
    if not report.rows:
        say(f"Nothing was spent since {report.since:%Y-%m-%d %H:%M}. `--days` looks further back.")
        return
    columns = [Column("From"), Column("To"), Column(""), *_FIGURES, _MODELS]
    show_table(
        columns,
        [
            [
                _at(row.key),
                moment(row.until),
                outcome("running") if row.active else "",
                *_figures(row),
                ", ".join(row.models),
            ]
            for row in report.rows
        ],
    )
    for row in report.rows:
        _tell_projection(row)
    _tell_unpriced(report.total)


def write_csv(rows: Sequence[UsageSum]) -> None:
    """Rows with their columns named as in JSON; nothing is rounded."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    names = type(rows[0]).__struct_fields__ if rows else UsageSum.__struct_fields__
    encoded = type(rows[0]).__struct_encode_fields__ if rows else UsageSum.__struct_encode_fields__
    out.writerow(encoded)
    for row in rows:
        out.writerow([_plain(getattr(row, name)) for name in names])


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return " ".join(value)
    return msgspec.to_builtins(value)


def _at(key: str | None) -> str:
    return moment(datetime.fromisoformat(key)) if key else ""


def _named(by: str, row: UsageSum) -> str:
    if row.key is None:
        return _NONE.get(by, "unknown")
    if by == "commit":
        return f"{row.key[:_SHA]} {row.name or ''}"
    if by == "session":
        return row.name if row.name and "#" in row.name else f"{row.name or ''} {row.key[:8]}"
    return row.key


def _line(name: str, row: UsageSum, with_models: bool) -> list[Cell]:
    return [name, *_figures(row), *([", ".join(row.models)] if with_models else [])]


def _figures(row: UsageSum) -> list[Cell]:
    return [
        f"{row.requests:,}",
        tokens(row.input_tokens),
        tokens(row.output_tokens),
        tokens(row.cache_read_tokens),
        tokens(row.cache_write_tokens),
        tokens(row.total_tokens),
        spent(row.cost_usd, row.unpriced_requests),
    ]


def _tell_projection(row: Block) -> None:
    if row.projected_tokens is None or row.projected_cost_usd is None:
        return
    say(
        f"The block that runs ends at {moment(row.until)}; as it went on so far it comes to "
        f"{tokens(row.projected_tokens)} tokens, {money(row.projected_cost_usd)}.",
        after_blank=True,
    )


def _tell_unpriced(total: UsageSum) -> None:
    if total.unpriced_requests:
        say(
            f"+? {count_of(total.unpriced_requests, 'request')} without a known price: `acd prices`.",
            after_blank=True,
        )
