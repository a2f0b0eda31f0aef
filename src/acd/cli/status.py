"""`acd status`: what works now, the queue, totals, and what a person should know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from acd.cli.figures import count_of, gap, moment, outcome, spent, tokens
from acd.cli.figures import features as features_of
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.running import show_running
from acd.cli.source import ask, read_settings
from acd.core.billing import AtListPrice, at_list_price
from acd.core.contract import Summary, TargetRow
from acd.core.control_rows import QueueOrder
from acd.core.glance_rows import Glance, PendingFiles, Standing
from acd.reports.rows import row_of

app = new_app()

_COLUMNS = (
    Column("Target", flexible=True),
    Column("Status"),
    Column("Features"),
    Column("Sessions", right=True),
    Column("Tokens", right=True),
    Column("Cost", right=True),
)


@app.command()
def status(
    every: Annotated[bool, typer.Option("--all", help="Also disabled targets.")] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """What works now, the queue with its progress, totals, and what should be looked at."""
    settings = read_settings(home=home, database_url=database_url)
    found = ask(settings, "status", lambda source: source.glance())
    if as_json:
        show_json(found)
        return
    seen = row_of(found, Glance)
    rows, summary = seen.targets, seen.summary
    _show_order(seen.order, works=bool(seen.running))
    if not rows:
        say(
            "The queue is empty. Write a queue file and call `acd run`; `acd demo` shows how that looks."
        )
    else:
        show_running(seen.running, rows)
        _show_queue([row for row in rows if every or row.enabled])
        _show_totals(summary, every)
        _show_billing(seen.at_list_price)
    _show_standing(seen.standing, summary)
    _show_pending(seen.pending, settings.url)


def _show_order(order: QueueOrder | None, *, works: bool) -> None:
    """A pause is for everybody, and lasts; other orders are news only while somebody obeys them."""
    if order is None:
        return
    since = moment(order.changed_at)
    told = None
    if order.state == "paused":
        told = f"Paused at {since}: no session is begun until `acd resume`."
    elif order.state == "draining" and works:
        told = f"Told to drain at {since}: no session is begun any more."
    elif order.state == "stopping" and works:
        told = f"Told to stop at {since}: sessions are ended in order."
    if told:
        say(told)
        say()


def _show_queue(rows: list[TargetRow]) -> None:
    show_table(_COLUMNS, [_line(row) for row in rows])
    reasons = [row for row in rows if row.status_reason and row.status != "complete"]
    if reasons:
        say()
    for row in reasons:
        say(f"{row.repo_id} is {row.status}: {row.status_reason}")


def _line(row: TargetRow) -> list[Cell]:
    return [
        row.repo_id,
        outcome(row.status if row.enabled else "disabled"),
        features_of(row.passing_features, row.total_features, row.verified_features),
        str(row.total_sessions),
        tokens(row.total_tokens),
        spent(row.total_cost_usd, row.unpriced_requests),
    ]


def _show_totals(summary: Summary, every: bool) -> None:
    hidden = summary.total_targets - summary.enabled_targets
    if hidden and not every:
        say(f"… and {count_of(hidden, 'disabled target')} (`--all` shows them)")
    unverified = summary.passing_features - summary.verified_features
    doubt = f" ({unverified} unverified: only the agent says so)" if unverified > 0 else ""
    say(
        f"{summary.complete_targets} of {count_of(summary.total_targets, 'target')} complete, "
        f"{summary.passing_features} of {count_of(summary.total_features, 'feature')} pass{doubt}; "
        f"{count_of(summary.total_sessions, 'session')}, {tokens(summary.total_tokens)} tokens, "
        f"{spent(summary.total_cost_usd, summary.unpriced_requests)}",
        after_blank=True,
    )


def _show_billing(part: AtListPrice) -> None:
    told = at_list_price(part)
    if told:
        say(told)


def _show_pending(pending: PendingFiles | None, url: str | None) -> None:
    if pending and pending.folders:
        where = "that server's machine" if url else "this machine"
        say(
            f"Not recorded yet: {pending.bytes:,} bytes of {count_of(pending.folders, 'session')} in files of {where}. "
            "What runs now records them by itself, else `acd sync` does."
        )


def _show_standing(standing: Standing, summary: Summary) -> None:
    now = datetime.now(UTC)
    for limit in standing.limits:
        if limit.resets_at is None or limit.resets_at > now:
            until = (
                f"until {moment(limit.resets_at)}"
                if limit.resets_at
                else "for a time it did not tell"
            )
            whose = f"{limit.agent}, {limit.account}" if limit.account else limit.agent
            say(f"Limit of {whose} ({limit.window}): its sessions wait {until}.")
    if summary.unpriced_requests:
        say(
            f"Without a known price: {count_of(summary.unpriced_requests, 'request')} (`acd prices`)."
        )
    if standing.gap_sessions:
        say(
            f"In {count_of(standing.gap_sessions, 'session')} the agent reports another cost than its requests "
            f"add up to, {gap(standing.gap_usd)} in all (`acd session ID` shows it)."
        )
    if standing.left_out_lines:
        say(
            f"Could not be read: {count_of(standing.left_out_lines, 'line')} of agents (`acd doctor`)."
        )
    if standing.open_errors:
        say(f"Not resolved: {count_of(standing.open_errors, 'error')} (`acd errors`).")
