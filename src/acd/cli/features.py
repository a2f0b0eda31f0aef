"""`acd features`: the features of a target."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from acd.cli.figures import NOTHING, count_of, moment, outcome
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.source import ask, insist, read_settings
from acd.core.contract import FeatureEvidence, FeatureRow
from acd.reports.rows import rows_of

app = new_app()

_COLUMNS = (
    Column("Status"),
    Column("Key", flexible=True),
    Column("Feature", flexible=True),
    Column("Prio.", right=True),
    Column("Implemented"),
    Column("Checked", flexible=True),
)


@app.command()
def features(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A target's id.")],
    removed: Annotated[bool, typer.Option("--removed", help="Also those that are gone.")] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """A target's features: what does not pass first, then by priority.

    "unverified" means that only the agent says that it passes. Checked: what the harness itself saw, last of all, when it
    ran the feature's check on a commit; with --json also what the check printed.
    """
    settings = read_settings(home=home, database_url=database_url)
    found = ask(settings, "features", lambda source: source.features(target, removed=removed))
    found = insist(found, target)
    if as_json:
        show_json(found)
        return
    rows = rows_of(found, FeatureRow)
    if not rows:
        say(
            f"{target} has no feature list yet: its first session makes one (`acd run --repo {target}`)."
        )
        return
    show_table(_COLUMNS, [_line(row) for row in rows])
    say(_sum(rows), after_blank=True)


def _line(row: FeatureRow) -> list[Cell]:
    return [
        _status(row),
        row.feature_key,
        row.name,
        NOTHING if row.priority is None else str(row.priority),
        moment(row.implemented_at),
        NOTHING if row.evidence is None else _checked(row.evidence),
    ]


def _checked(evidence: FeatureEvidence) -> str:
    """What the harness saw, and where; `--json` has the output too."""
    status = evidence.exit_status
    saw = evidence.reason if status is None else "ok" if status == 0 else f"exit {status}"
    where = f" at {evidence.commit[:10]}" if evidence.commit else ""
    return f"{saw}: {evidence.command}{where}"


def _status(row: FeatureRow) -> Text:
    text = outcome(row.status)
    if row.passes and not row.verified:
        text.append(" unverified", "yellow")
    return text


def _sum(rows: list[FeatureRow]) -> str:
    there = [row for row in rows if row.status != "removed"]
    passing = [row for row in there if row.passes]
    unverified = sum(not row.verified for row in passing)
    doubt = f", {unverified} of them unverified (only the agent says so)" if unverified else ""
    return f"{len(passing)} of {count_of(len(there), 'feature')} pass{doubt}."
