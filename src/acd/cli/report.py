"""`acd report`: what was done since a time, what it cost, what is stuck and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from acd.cli.cost_tables import show_costs, show_lines
from acd.cli.figures import count_of, elapsed, listed, moment, number, outcome, spent, tokens
from acd.cli.loading import load
from acd.cli.options import AsJson, DatabaseUrl, Home, Timezone, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.source import Source, ask, read_settings
from acd.core.cost_rows import CostsReport, SurvivingLines
from acd.core.moments import moment_of, zone_named
from acd.core.settings import Settings
from acd.core.summary_rows import ErrorSummary, NightSummary, PeriodSummary, TargetSummary
from acd.core.usage_rows import Asked
from acd.reports.rows import row_of

app = new_app()

_Html = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="As a page in one file, with the charts of Cost and Models; it opens offline.",
    ),
]
_Costs = Annotated[
    bool,
    typer.Option("--costs", help="What features, errors and models cost, and the rest will."),
]

_Lines = Annotated[
    bool,
    typer.Option(
        "--lines",
        help="With --costs: what each line of HEAD cost; `git blame` of every file, so it takes its time.",
    ),
]

_TARGETS = (
    Column("Target", flexible=True),
    Column("Status"),
    Column("Sessions", right=True),
    Column("Failed", right=True),
    Column("New features", flexible=True),
    Column("Passing", right=True),
    Column("Commits", right=True),
    Column("Tokens", right=True),
    Column("Cost", right=True),
)
_ERRORS = (
    Column("Errors"),
    Column("Count", right=True),
    Column("Of which the agent got over", right=True),
    Column("Last message", flexible=True),
)


@app.command()
def report(
    since: Annotated[
        str,
        typer.Option("--since", metavar="TIME", help="yesterday, today, 12h, 7d, 2026-11-24T20:00"),
    ] = "yesterday",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="To before then, written likewise.")
    ] = "now",
    timezone: Timezone = None,
    with_costs: _Costs = False,
    with_lines: _Lines = False,
    repo: Annotated[
        str | None, typer.Option("--repo", metavar="ID", help="With --costs: of one target.")
    ] = None,
    html: _Html = None,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """What was done since a time, what it cost, what is stuck and why, what went wrong, what runs now.

    Tokens and cost count when they were spent, sessions when they began, features when they were first seen passing.
    A claim is rejected when a session says that a feature passes and acd sees it fail.
    """
    settings = read_settings(home=home, database_url=database_url)
    zone, now = zone_named(timezone or settings.timezone), datetime.now(UTC)
    first, last = moment_of(since, zone, now), moment_of(until, zone, now)
    if last <= first:
        raise typer.BadParameter("it must be later than --since", param_hint="--until")
    if html:
        if as_json or with_costs or with_lines or repo:
            raise typer.BadParameter("it goes without --json, --costs, --repo", param_hint="--html")
        written = load("acd.cli.report_page").write_report(settings, html, first, last, zone)
        say(f"{html}: {written:,} bytes.")
        return
    if with_costs:
        asked = Asked(since=first, until=last, timezone=zone.key, repo_id=repo)
        _tell_costs(settings, asked, with_lines=with_lines, as_json=as_json)
        return
    if repo or with_lines:
        raise typer.BadParameter("it goes with --costs", param_hint="--repo" if repo else "--lines")
    found = ask(settings, "report", lambda source: source.summary(since=first, until=last))
    if as_json:
        show_json(found)
        return
    _show_night(row_of(found, NightSummary), zone)


def _tell_costs(settings: Settings, asked: Asked, *, with_lines: bool, as_json: bool) -> None:
    """With the lines of each target whose sessions cost something; as JSON they stand under `lines`."""

    async def read(source: Source) -> tuple[bytes, list[bytes]]:
        costs = await source.costs(asked)
        targets = [one.target for one in row_of(costs, CostsReport).targets if one.target]
        names = [target.repo_id for target in targets] if with_lines else []
        return costs, [await source.lines(replace(asked, repo_id=name)) for name in names]

    costs, lines = ask(settings, "report", read)
    if as_json:
        document = msgspec.json.decode(costs, type=dict[str, msgspec.Raw])
        if with_lines:
            document["lines"] = msgspec.Raw(b"[" + b",".join(lines) + b"]")
        show_json(msgspec.json.encode(document))
        return
    show_costs(row_of(costs, CostsReport))
    show_lines([row_of(one, SurvivingLines) for one in lines])


def _show_night(night: NightSummary, zone: ZoneInfo) -> None:
    _show_totals(night.period, zone)
    _show_targets(night.period.targets)
    _show_errors(night.period)
    say()
    for row in night.running:
        say(
            f"{row.target.repo_id} {number(row.session_number)} runs now ({row.model}), for {elapsed(row.started_at)}, "
            f"{spent(row.cost_usd, row.unpriced_requests)} so far."
        )
    if not night.running:
        say("Nothing runs now.")


def _show_totals(period: PeriodSummary, zone: ZoneInfo) -> None:
    failed = f" ({period.failed_sessions} failed)" if period.failed_sessions else ""
    rejected = (
        f"{count_of(period.rejected_claims, 'claim')} rejected, " if period.rejected_claims else ""
    )
    say(f"From {_at(period.since, zone)} to {_at(period.until, zone)} ({zone.key}):")
    say(
        f"{count_of(period.sessions, 'session')}{failed}, "
        f"{count_of(period.verified_features + period.unverified_features, 'new feature')} "
        f"({period.verified_features} verified, {period.unverified_features} unverified), {rejected}"
        f"{count_of(period.commits, 'commit')}, {tokens(period.tokens)} tokens, "
        f"{spent(period.cost_usd, period.unpriced_requests)}."
    )
    told = listed(period.cost_usd, period.list_price_cost_usd)
    if told:
        say(told)
    finished = [row.target.repo_id for row in period.targets if row.finished]
    if finished:
        say(f"Finished: {', '.join(finished)}.")


def _show_targets(rows: list[TargetSummary]) -> None:
    if not rows:
        return
    say()
    show_table(_TARGETS, [_target(row) for row in rows])
    stuck = [row for row in rows if row.status_reason and row.status != "complete"]
    if stuck:
        say()
    for row in stuck:
        say(f"{row.target.repo_id} is {row.status}: {row.status_reason}")


def _target(row: TargetSummary) -> list[Cell]:
    made = row.verified_features + row.unverified_features
    doubts = {"unverified": row.unverified_features, "rejected": row.rejected_claims}
    told = ", ".join(f"{count} {word}" for word, count in doubts.items() if count)
    doubt = f" ({told})" if told else ""
    return [
        row.target.repo_id,
        outcome(row.status),
        str(row.sessions),
        str(row.failed_sessions),
        f"{made}{doubt}",
        f"{row.passing_features}/{row.total_features}",
        str(row.commits),
        tokens(row.tokens),
        spent(row.cost_usd, row.unpriced_requests),
    ]


def _show_errors(period: PeriodSummary) -> None:
    if period.errors:
        say()
        show_table(_ERRORS, [_error(row) for row in period.errors])
    for limit in period.limits:
        say(
            f"Limit of {limit.agent} ({limit.error_type}): it ended {count_of(limit.sessions, 'session')}, "
            f"the last at {moment(limit.last_at)}; sessions waited, or still wait, for its reset."
        )


def _error(row: ErrorSummary) -> list[Cell]:
    return [
        outcome(row.error_type),
        str(row.errors),
        str(row.retried_by_agent),
        row.last_message,
    ]


def _at(when: datetime, zone: ZoneInfo) -> str:
    return when.astimezone(zone).strftime("%Y-%m-%d %H:%M")
