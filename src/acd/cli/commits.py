"""`acd commits`: commits made in sessions."""

from __future__ import annotations

from typing import Annotated

import typer

from acd.cli.figures import moment, number
from acd.cli.options import AsJson, DatabaseUrl, Home, Limit, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.source import Source, ask, insist, read_settings
from acd.core.contract import CommitRow
from acd.core.glance_rows import RecentCommit
from acd.reports.rows import rows_of

app = new_app()

_COLUMNS = (
    Column("When"),
    Column("Commit"),
    Column("Session", right=True),
    Column("Files", right=True),
    Column("+", right=True),
    Column("-", right=True),
    Column("Message", flexible=True),
)


@app.command()
def commits(
    target: Annotated[
        str | None, typer.Argument(metavar="[TARGET]", help="A target's id; all where left out.")
    ] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Commits made in sessions, newest first."""
    settings = read_settings(home=home, database_url=database_url)

    async def read(source: Source) -> bytes:
        if target is None:
            return await source.recent_commits(limit=limit)
        return insist(await source.commits(target, limit=limit), target)

    found = ask(settings, "commits", read)
    if as_json:
        show_json(found)
    elif target is None:
        _show([(row, row.target.repo_id) for row in rows_of(found, RecentCommit)])
    else:
        _show([(row, "") for row in rows_of(found, CommitRow)])


def _show(rows: list[tuple[CommitRow, str]]) -> None:
    if rows:
        show_table(_COLUMNS, [_line(row, repo_id) for row, repo_id in rows])
    else:
        say("No commit was made in a session yet.")


def _line(row: CommitRow, repo_id: str) -> list[Cell]:
    subject = row.message.partition("\n")[0]
    return [
        moment(row.committed_at),
        row.sha[:10],
        f"{repo_id} {number(row.session_number)}".strip(),
        str(row.files_changed),
        str(row.additions),
        str(row.deletions),
        subject,
    ]
