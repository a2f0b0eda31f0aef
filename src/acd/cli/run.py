"""`acd run`: work the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from acd.cli.figures import moment, outcome
from acd.cli.opened import ask
from acd.cli.options import AsJson, DatabaseUrl, Home, QueueFile, SkipPermissions, Verbose, new_app
from acd.cli.output import Cell, Column, say, show_json, show_table
from acd.cli.working import Look, work_and_show
from acd.core.control_rows import QueueOrder
from acd.core.environment import load_settings
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.control import read_state
from acd.queue.look import Planned
from acd.queue.orchestrator import RunOptions, plan, work_queue
from acd.queue.turn import Done, Stop, Wait, Work
from acd.reports.rows import row_of

app = new_app()

Concurrency = Annotated[
    int | None, typer.Option("--concurrency", "-c", min=1, max=64, help="Sessions at a time.")
]
InPlace = Annotated[
    bool,
    typer.Option(
        "--in-place", help="Agents work in the targets' own folders, not in git worktrees."
    ),
]
NoServe = Annotated[bool, typer.Option("--no-serve", help="Without the API and the pages.")]
NoLive = Annotated[bool, typer.Option("--no-live", help="Plain lines, also on a terminal.")]

_COLUMNS = (
    Column("Target", flexible=True),
    Column("Next"),
    Column("Model"),
    Column("Why", flexible=True),
)


def working_settings(
    home: Path | None,
    database_url: str | None,
    queue: Path | None,
    concurrency: int | None,
    in_place: bool,
    skip_permissions: bool,
) -> Settings:
    """The settings of who works sessions, by the flags that all of those have.

    Raises:
        ConfigError: as `load_settings`.
    """
    return load_settings(
        home=home,
        database_url=database_url,
        queue_file=queue,
        concurrency=concurrency,
        isolation="in-place" if in_place else None,
        skip_permissions=skip_permissions or None,
    )


@app.command()
def run(
    concurrency: Concurrency = None,
    hours: Annotated[
        float | None, typer.Option("--hours", min=0.0, help="Begin no session after that time.")
    ] = None,
    max_sessions: Annotated[
        int | None, typer.Option("--max-sessions", min=1, help="Begin no more than this many.")
    ] = None,
    repo: Annotated[
        list[str] | None, typer.Option("--repo", metavar="ID", help="Only this target; repeatable.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="One session a target, and wait for nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    in_place: InPlace = False,
    no_serve: NoServe = False,
    no_live: NoLive = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    queue: QueueFile = None,
    skip_permissions: SkipPermissions = False,
    verbose: Verbose = False,
) -> None:
    """Work the queue until nothing is left to do, recording every session.

    Ctrl-C ends the sessions in order, a second one at once; both keep what was done.

    Exit status: 0 all done; 1 something is blocked; 2 wrong usage; 3 the database was away and something is not
    recorded yet; 130 stopped.
    """
    settings = working_settings(home, database_url, queue, concurrency, in_place, skip_permissions)
    options = RunOptions(
        concurrency=settings.concurrency,
        hours=hours,
        max_sessions=max_sessions,
        repo_ids=tuple(repo or ()),
        once=once,
    )
    if as_json and not dry_run:
        raise typer.BadParameter("goes with --dry-run only", param_hint="--json")
    if dry_run:
        _show_plan(settings, options, as_json=as_json)
        return
    look = Look(live=not no_live, serve=not no_serve)
    raise typer.Exit(_work(settings, options, look))


def _work(settings: Settings, options: RunOptions, look: Look) -> int:
    return work_and_show(
        settings,
        "run",
        look,
        lambda db, observer, ending: work_queue(
            db, settings, options, observer=observer, ending=ending
        ),
    )


class PlannedRow(msgspec.Struct, frozen=True, rename="camel"):
    """What would be done with a target: work, wait, nothing (`done`) or nothing before a person looks (`stop`)."""

    repo_id: str
    step: str
    session_type: str | None
    model: str
    fallback_model: str | None
    until: str | None
    reason: str


def _show_plan(settings: Settings, options: RunOptions, *, as_json: bool) -> None:
    async def look(db: Database) -> tuple[list[Planned], QueueOrder]:
        return await plan(db, settings, options), row_of(await read_state(db), QueueOrder)

    planned, order = ask(settings, "run", look)
    if as_json:
        show_json(msgspec.json.encode([_row(one) for one in planned]))
    elif planned:
        show_table(_COLUMNS, [_line(one) for one in planned])
        working = sum(isinstance(one.step, Work) for one in planned)
        paused = ", if the queue were not paused (`acd resume`)" if order.state == "paused" else ""
        say(
            f"{working} of {len(planned)} would be worked now{paused}. Nothing was done.",
            after_blank=True,
        )
    else:
        say("The queue file has no targets.")


def _row(one: Planned) -> PlannedRow:
    step = one.step
    return PlannedRow(
        repo_id=one.target.repo_id,
        step=type(step).__name__.lower(),
        session_type=step.session_type if isinstance(step, Work) else None,
        model=one.model,
        fallback_model=one.fallback_model,
        until=step.until.isoformat() if isinstance(step, Wait) else None,
        reason=step.reason,
    )


def _line(one: Planned) -> list[Cell]:
    step = one.step
    match step:
        case Work(session_type=what):
            shown = outcome(what)
        case Wait(until=until):
            shown = outcome("wait", f"until {moment(until)}")
        case Stop():
            shown = outcome("blocked")
        case Done():
            shown = outcome("nothing")
    model = one.model if isinstance(step, Work) else ""
    return [one.target.repo_id, shown, model, step.reason]
