"""`acd doctor`: look at everything that can be wrong."""

from __future__ import annotations

import asyncio

import msgspec
import typer

from acd.cli.checks.agents import check_agents
from acd.cli.checks.database import check_database
from acd.cli.checks.finding import Finding
from acd.cli.checks.machine import check_home, check_port, check_programs, check_strays
from acd.cli.checks.notify import check_notifications
from acd.cli.checks.queue import check_queue
from acd.cli.failures import FAILED
from acd.cli.figures import outcome
from acd.cli.options import AsJson, DatabaseUrl, Home, QueueFile, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.core.environment import load_settings
from acd.core.settings import Settings

app = new_app()

_COLUMNS = (Column(""), Column(""), Column("", wrapped=True))


@app.command()
def doctor(
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    queue: QueueFile = None,
    verbose: Verbose = False,
) -> None:
    """Check git, agents and their login, database, disk, permissions, port, queue file; say what to do.

    Exit status 1 when something cannot work before it is mended.
    """
    settings = load_settings(home=home, database_url=database_url, queue_file=queue)
    findings = asyncio.run(_examine(settings))
    if as_json:
        show_json(msgspec.json.encode(findings))
    else:
        show_table(_COLUMNS, [_line(one) for one in findings])
        _sum_up(findings)
    if any(one.state == "fail" for one in findings):
        raise typer.Exit(FAILED)


async def _examine(settings: Settings) -> list[Finding]:
    queue = await check_queue(settings)
    return [
        *await check_programs(),
        *await check_agents(settings, queue.agents),
        *check_home(settings),
        *await check_database(settings),
        check_port(settings),
        *await check_notifications(settings),
        *check_strays(settings),
        *queue.findings,
    ]


def _line(one: Finding) -> list[Cell]:
    message = " ".join(one.message.split())
    text = message if one.advice is None else f"{message} → {one.advice}"
    return [outcome(one.state), one.subject, text]


def _sum_up(findings: list[Finding]) -> None:
    failing = sum(one.state == "fail" for one in findings)
    doubtful = sum(one.state == "warn" for one in findings)
    if failing:
        say(f"{failing} to mend, {doubtful} to know about.", after_blank=True)
    elif doubtful:
        say(f"Everything can work; {doubtful} to know about.", after_blank=True)
    else:
        say("Everything is well.", after_blank=True)
