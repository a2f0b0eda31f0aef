"""`acd status`: what works now, the queue, totals, and what a person should know."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from acd.cli.figures import count_of, gap, outcome, spent, tokens
from acd.cli.figures import features as features_of
from acd.cli.opened import ask
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.running import show_running
from acd.core.contract import RunningSession, Summary, TargetRow
from acd.core.settings import Settings, load_settings
from acd.database.connection import Database
from acd.ledger.pending import Pending, pending_folders
from acd.reports import glance, live, targets
from acd.reports.rows import row_of, rows_of

app = new_app()

_COLUMNS = (
    Column("Target", flexible=True),
    Column("Status"),
    Column("Features"),
    Column("Sessions", right=True),
    Column("Tokens", right=True),
    Column("Cost", right=True),
)


class Seen(NamedTuple):
    """The reports behind the page."""

    running: bytes
    targets: bytes
    summary: bytes
    standing: bytes
    pending: Pending

    def as_json(self) -> bytes:
        """The reports side by side, each as PostgreSQL made it."""
        waiting = b'{"folders":%d,"bytes":%d}' % self.pending
        parts = {
            "summary": self.summary,
            "running": self.running,
            "targets": self.targets,
            "standing": self.standing,
            "pending": waiting,
        }
        return b"{%s}" % b",".join(b'"%s":%s' % (k.encode(), v) for k, v in parts.items())


@app.command()
def status(
    every: Annotated[bool, typer.Option("--all", help="Also disabled targets.")] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """What works now, the queue with its progress, totals, and what should be looked at."""
    settings = load_settings(home=home, database_url=database_url)
    seen = ask(settings, "status", lambda db: _look(db, settings))
    if as_json:
        show_json(seen.as_json())
        return
    rows = rows_of(seen.targets, TargetRow)
    summary = row_of(seen.summary, Summary)
    if not rows:
        say(
            "The queue is empty. Write a queue file and call `acd run`; `acd demo` shows how that looks."
        )
    else:
        show_running(rows_of(seen.running, RunningSession), rows)
        _show_queue([row for row in rows if every or row.enabled])
        _show_totals(summary, every)
    _show_standing(row_of(seen.standing, glance.Standing), summary, seen.pending)


async def _look(db: Database, settings: Settings) -> Seen:
    waiting = await pending_folders(db, settings)
    return Seen(
        running=await live.running(db),
        targets=await targets.recent(db),
        summary=await targets.summary(db),
        standing=await glance.standing(db),
        pending=Pending(len(waiting), sum(waiting.values())),
    )


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
        spent(row.total_cost_usd),
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


def _show_standing(standing: glance.Standing, summary: Summary, pending: Pending) -> None:
    if pending.folders:
        say(
            f"Not recorded yet: {pending.bytes:,} bytes of {count_of(pending.folders, 'session')} in files of this "
            "machine. What runs now records them by itself, else `acd sync` does."
        )
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
