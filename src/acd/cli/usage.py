"""`acd usage`: tokens and cost of the last days."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import typer

from acd.cli.figures import count_of, tokens
from acd.cli.figures import spent as cost_of
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.source import MOST_DAYS, Source, ask, read_settings
from acd.core.contract import ModelSpending, ModelUsage
from acd.core.glance_rows import TargetSpending
from acd.reports.rows import row_of, rows_of

app = new_app()

_FIGURES = ("Requests", "Input", "Output", "Cached", "Written", "Tokens", "Cost")


class By(StrEnum):
    """What usage is summed by."""

    DAY = "day"
    MODEL = "model"
    TARGET = "target"


@app.command()
def usage(
    days: Annotated[int, typer.Option("--days", min=1, max=MOST_DAYS, help="Today included.")] = 7,
    by: Annotated[By, typer.Option("--by", help="What to sum by.")] = By.MODEL,
    repo: Annotated[str | None, typer.Option("--repo", metavar="ID", help="Of one target.")] = None,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Tokens and cost of the last days.

    "Cached" are tokens read from the cache, "Written" those written to it. A day is one of ACD_TIMEZONE; costs are
    list prices (`acd prices`).
    """
    if by is By.TARGET and repo:
        raise typer.BadParameter(
            "with --by target there is nothing left to choose", param_hint="--repo"
        )
    settings = read_settings(home=home, database_url=database_url)

    async def read(source: Source) -> bytes:
        if by is By.TARGET:
            return await source.usage_by_target(days=days)
        return await source.model_usage(days=days, repo_id=repo)

    found = ask(settings, "usage", read)
    if as_json:
        show_json(found)
    else:
        _show(by, days, list(_spent(by, found)))


def _spent(by: By, found: bytes) -> Iterable[tuple[str, ModelSpending]]:
    if by is By.TARGET:
        yield from ((row.target.repo_id, row) for row in rows_of(found, TargetSpending))
        return
    spending = row_of(found, ModelUsage)
    if by is By.MODEL:
        yield from spending.by_model.items()
    else:
        yield from ((day.date.isoformat(), day) for day in spending.by_day)


def _show(by: By, days: int, rows: list[tuple[str, ModelSpending]]) -> None:
    if not rows:
        say(f"Nothing was spent in the last {days} days. `--days` looks further back.")
        return
    total = ModelSpending(
        **{
            field: sum(getattr(spent, field) for _, spent in rows)
            for field in ModelSpending.__struct_fields__
        }
    )
    lines = [_line(name, spent) for name, spent in rows]
    if len(rows) > 1:
        lines.append(_line("all", total))
    columns = [Column(title, right=True) for title in _FIGURES]
    show_table([Column(by.value.capitalize(), flexible=True), *columns], lines)
    if total.unpriced_requests:
        say(
            f"+? {count_of(total.unpriced_requests, 'request')} without a known price: `acd prices`.",
            after_blank=True,
        )


def _line(name: str, spent: ModelSpending) -> list[Cell]:
    return [
        name,
        f"{spent.requests:,}",
        tokens(spent.input_tokens),
        tokens(spent.output_tokens),
        tokens(spent.cache_read_tokens),
        tokens(spent.cache_write_tokens),
        tokens(spent.tokens),
        cost_of(spent.cost, spent.unpriced_requests),
    ]
