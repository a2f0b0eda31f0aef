"""`acd demo`: three small repositories, worked to completion by a scripted agent, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from acd.cli.board import Board
from acd.cli.demo_report import show_report
from acd.cli.opened import make_home
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import make_console, say, show_json
from acd.cli.views import followed
from acd.cli.working import exit_status
from acd.core.environment import load_settings
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.demo.stage import Stage, set_stage
from acd.harness.process import hide_from_children
from acd.queue.orchestrator import RunOptions, RunResult, work_queue
from acd.reports import period

app = new_app()


@app.command()
def demo(
    pace: Annotated[
        float, typer.Option("--pace", min=0.0, max=10.0, help="Seconds the agent takes a step.")
    ] = 0.4,
    concurrency: Annotated[
        int, typer.Option("--concurrency", "-c", min=1, max=3, help="Sessions at a time.")
    ] = 2,
    no_live: Annotated[
        bool, typer.Option("--no-live", help="Plain lines, also on a terminal.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """See everything work in under half a minute, without a model or a login.

    Makes three small git repositories and a queue in a scratch folder and works them to completion with a scripted
    agent: an initializer, several sessions a target, a failure that is tried again, a limit that is waited for, a
    subagent, three models. Every session is really recorded in your database, under the targets demo-….
    """
    settings = load_settings(home=home, database_url=database_url)
    make_home(settings)
    stage = set_stage(settings.home, pace=pace)
    hide_from_children()
    if not as_json:
        say(f"Working three repositories in {stage.folder} with a scripted agent.")
    status = asyncio.run(_perform(stage.settings(settings, concurrency), stage, as_json, no_live))
    raise typer.Exit(status)


async def _perform(settings: Settings, stage: Stage, as_json: bool, no_live: bool) -> int:
    began = datetime.now(UTC)
    async with open_database(settings, application="acd demo") as db:
        async with _observed(db, as_json, no_live) as board:
            options = RunOptions(concurrency=settings.concurrency)
            result = await work_queue(db, settings, options, observer=board)
        report = await period.since(db, began)
    if as_json:
        show_json(report)
    else:
        show_report(report)
        _say_what_next(settings.home, stage, result)
    return exit_status(result)


@asynccontextmanager
async def _observed(db: Database, as_json: bool, no_live: bool) -> AsyncIterator[Board]:
    """With --json stdout belongs to the figures, and progress goes to stderr."""
    if as_json:
        console = make_console(stderr=True)
        yield Board(lambda text, _: console.print(text, soft_wrap=True))
        return
    async with followed(db, live=not no_live) as (board, _):
        yield board


def _say_what_next(home: Path, stage: Stage, result: RunResult) -> None:
    if result.ended_by != "done":
        say("The demo was ended early; what it did until then is recorded.", after_blank=True)
        return
    say("What to try next:", after_blank=True)
    say("  acd serve                    pages and API at http://127.0.0.1:3434")
    say("  acd sessions                 every session; `acd session demo-notes#1` shows one whole")
    say("  acd usage                    tokens and cost by model and day")
    say("  acd doctor                   is everything ready for your own repositories?")
    say("  acd run --queue FILE         work your own queue (README: The queue file)")
    say(f"The repositories stay in {stage.folder}; everything is recorded under {home}.")
