"""`acd usage`: tokens and cost of any time, by any key."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

import typer

from acd.cli.options import (
    AsJson,
    DatabaseUrl,
    Home,
    Limit,
    Since,
    Timezone,
    Until,
    Verbose,
    new_app,
)
from acd.cli.output import show_json
from acd.cli.source import MOST_DAYS, Source, ask, read_settings
from acd.cli.usage_lines import DAYS, MOST_ROWS, OTHER_DAYS
from acd.cli.usage_tables import show_blocks, show_usage, write_csv
from acd.core.moments import moment_of, zone_named
from acd.core.settings import Settings
from acd.core.usage_rows import Asked, BlockReport, UsageBy, UsageReport
from acd.reports.rows import row_of

app = new_app()

_BLOCK: Final = "block"


class By(StrEnum):
    """What usage is summed by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    SESSION = "session"
    TARGET = "target"
    BRANCH = "branch"
    MODEL = "model"
    AGENT = "agent"
    FEATURE = "feature"
    COMMIT = "commit"
    BLOCK = "block"


Key = Annotated[By | None, typer.Option("--by", help="What to sum by; by model if left out.")]
Daily = Annotated[bool, typer.Option("--daily", help="The same as --by day.")]
Weekly = Annotated[bool, typer.Option("--weekly", help="The same as --by week.")]
Monthly = Annotated[bool, typer.Option("--monthly", help="The same as --by month.")]
Blocks = Annotated[
    bool, typer.Option("--blocks", help="Blocks of five hours: the same as --by block.")
]
Days = Annotated[
    int | None,
    typer.Option(
        "--days",
        min=1,
        max=MOST_DAYS,
        help="The last days, today included: 7, by day 30, by week 84, by month 366.",
    ),
]
AsCsv = Annotated[
    bool, typer.Option("--csv", help="Print the exact figures as CSV, one row a key.")
]
Repo = Annotated[str | None, typer.Option("--repo", metavar="ID", help="Of one target.")]
Agent = Annotated[str | None, typer.Option("--agent", metavar="NAME", help="Of one agent.")]


@app.command()
def usage(
    by: Key = None,
    daily: Daily = False,
    weekly: Weekly = False,
    monthly: Monthly = False,
    blocks: Blocks = False,
    days: Days = None,
    since: Since = None,
    until: Until = None,
    timezone: Timezone = None,
    repo: Repo = None,
    agent: Agent = None,
    limit: Limit = MOST_ROWS,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Tokens and cost by day, model, target, session, branch, agent, feature, commit, or block of five hours.

    "Cached" are tokens read from the cache, "Written" those written to it. Costs are list prices (`acd prices`). What a
    session spent is shared evenly among the features that it implemented; a request belongs to the next commit of its
    session.

    acd usage --daily --since 2026-11-01

    acd usage --by session --repo shop-api --days 2

    acd usage --blocks
    """
    flags = {By.DAY: daily, By.WEEK: weekly, By.MONTH: monthly, By.BLOCK: blocks}
    key = _one_key(by, flags)
    if as_csv and as_json:
        raise typer.BadParameter("one of --csv and --json", param_hint="--csv")
    settings = read_settings(home=home, database_url=database_url)
    asked = _asked(settings, key, days, since, until, timezone, repo, agent)

    async def read(source: Source) -> bytes:
        if key == _BLOCK:
            return await source.blocks(asked)
        return await source.usage(key, asked, limit=limit)

    found = ask(settings, "usage", read)
    if as_json:
        show_json(found)
    elif key == _BLOCK:
        told = row_of(found, BlockReport)
        write_csv(told.rows) if as_csv else show_blocks(told)
    else:
        report = row_of(found, UsageReport)
        write_csv(report.rows) if as_csv else show_usage(report)


def _one_key(by: By | None, flags: dict[By, bool]) -> UsageBy | Literal["block"]:
    chosen = {key for key, given in flags.items() if given} | ({by} if by else set())
    if len(chosen) > 1:
        raise typer.BadParameter(
            f"one key at a time, not {' and '.join(sorted(chosen))}", param_hint="--by"
        )
    return next(iter(chosen), By.MODEL).value


def _asked(
    settings: Settings,
    key: str,
    days: int | None,
    since: str | None,
    until: str | None,
    timezone: str | None,
    repo: str | None,
    agent: str | None,
) -> Asked:
    zone, now = zone_named(timezone or settings.timezone), datetime.now(UTC)
    if since and days:
        raise typer.BadParameter("either --days or --since", param_hint="--days")
    first = None if since is None else moment_of(since, zone, now)
    last = None if until is None else moment_of(until, zone, now)
    if first and last and last <= first:
        raise typer.BadParameter("it must be later than --since", param_hint="--until")
    return Asked(
        since=first,
        until=last,
        days=days or DAYS.get(key, OTHER_DAYS),
        timezone=timezone or (settings.timezone if "timezone" in settings.given else None),
        repo_id=repo,
        agent=agent,
    )
