"""`acd errors`: what went wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from acd.cli.figures import NOTHING, moment, number, outcome
from acd.cli.options import AsJson, DatabaseUrl, Home, Limit, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.source import ask, read_settings
from acd.core.contract import ErrorRow
from acd.reports.rows import rows_of

app = new_app()

_COLUMNS = (
    Column("When"),
    Column("Target", flexible=True),
    Column("No", right=True),
    Column("Type"),
    Column("Code"),
    Column("Message", flexible=True),
)


@app.command()
def errors(
    repo: Annotated[str | None, typer.Option("--repo", metavar="ID", help="Of one target.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Of one type: auth, …")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    limit: Limit = 20,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Errors that are not resolved, newest first. `acd session ID` shows them with all that is known."""
    settings = read_settings(home=home, database_url=database_url)
    resolved = None if every else False
    found = ask(
        settings,
        "errors",
        lambda source: source.errors(limit=limit, resolved=resolved, error_type=kind, repo_id=repo),
    )
    if as_json:
        show_json(found)
        return
    rows = rows_of(found, ErrorRow)
    if rows:
        show_table(_COLUMNS, [_line(row) for row in rows])
    else:
        say(
            "No errors." if every else "No errors that are not resolved (`--all` shows the others)."
        )


def _line(row: ErrorRow) -> list[Cell]:
    return [
        moment(row.occurred_at),
        row.target.repo_id,
        number(row.session_number),
        outcome(row.error_type, "resolved" if row.resolved else None),
        row.error_code or NOTHING,
        row.message,
    ]
