"""How `acd usage` looks: a table that fits the terminal, or CSV with every digit."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from acd.cli.figures import moment, money, outcome, tokens
from acd.cli.output import Column, say, show_table
from acd.cli.usage_lines import FIGURES, MODELS, billed, figures, nothing_since, told, unpriced
from acd.core.usage_rows import Block, BlockReport, UsageReport, UsageSum


def show_usage(report: UsageReport) -> None:
    """The table, with a line for all where there are several."""
    shown = told(report)
    if shown.rows:
        show_table(shown.columns, shown.rows)
    for sentence in shown.sentences:
        say(sentence, after_blank=bool(shown.rows))


def show_blocks(report: BlockReport) -> None:
    """The blocks, and what the one that runs will come to."""
    if not report.rows:
        say(nothing_since(report.since))
        return
    columns = [Column("From"), Column("To"), Column(""), *FIGURES, MODELS]
    show_table(
        columns,
        [
            [
                _at(row.key),
                moment(row.until),
                outcome("running") if row.active else "",
                *figures(row),
                ", ".join(row.models),
            ]
            for row in report.rows
        ],
    )
    for row in report.rows:
        _tell_projection(row)
    for sentence in billed(report.total, report.list_price_cost_usd) + unpriced(report.total):
        say(sentence, after_blank=True)


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


def _tell_projection(row: Block) -> None:
    if row.projected_tokens is None or row.projected_cost_usd is None:
        return
    say(
        f"The block that runs ends at {moment(row.until)}; as it went on so far it comes to "
        f"{tokens(row.projected_tokens)} tokens, {money(row.projected_cost_usd)}.",
        after_blank=True,
    )
