"""`acd sessions`: sessions, newest first."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from acd.cli.figures import brief, moment, number, outcome, signed, spent, tokens
from acd.cli.options import AsJson, DatabaseUrl, Home, Limit, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.source import ask, read_settings
from acd.core.contract import SessionRow
from acd.reports.rows import rows_of

app = new_app()

_COLUMNS = (
    Column("Id"),
    Column("Started"),
    Column("Target", flexible=True),
    Column("Model", needs=90),
    Column("Status", flexible=True),
    Column("Time", right=True),
    Column("Tokens", right=True),
    Column("Cost", right=True),
    Column("Feat.", right=True),
)


class Status(StrEnum):
    """The states of a session."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@app.command()
def sessions(
    repo: Annotated[str | None, typer.Option("--repo", metavar="ID", help="Of one target.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Of one model: opus, …")] = None,
    status: Annotated[Status | None, typer.Option("--status", help="In one state.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Sessions, newest first. `acd session ID` shows one whole; the beginning of its id will do."""
    settings = read_settings(home=home, database_url=database_url)
    found = ask(
        settings,
        "sessions",
        lambda source: source.sessions(limit=limit, repo_id=repo, model=model, status=status),
    )
    if as_json:
        show_json(found)
        return
    rows = rows_of(found, SessionRow)
    if rows:
        show_table(_COLUMNS, [_line(row) for row in rows])
    elif repo or model or status:
        say("No such session.")
    else:
        say("No session yet. `acd run` starts the first; `acd demo` shows how that looks.")


def _line(row: SessionRow) -> list[Cell]:
    return [
        str(row.id)[:8],
        moment(row.started_at),
        f"{row.target.repo_id} {number(row.session_number)}",
        row.model,
        outcome(row.status, row.error_type),
        brief(row.duration_ms),
        tokens(row.total_tokens),
        spent(row.cost_usd, row.unpriced_requests),
        signed(row.features_completed),
    ]
