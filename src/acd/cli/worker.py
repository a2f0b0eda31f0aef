"""`acd worker`: work what others queue."""

from __future__ import annotations

import typer

from acd.cli.options import DatabaseUrl, Home, QueueFile, SkipPermissions, Verbose, new_app
from acd.cli.run import Concurrency, InPlace, NoLive, working_settings
from acd.cli.working import Look, work_and_show
from acd.database.connection import Database
from acd.queue.ending import Ending
from acd.queue.observer import Observer
from acd.queue.orchestrator import RunOptions, RunResult, worker

app = new_app()


@app.command("worker")
def take_turns(
    concurrency: Concurrency = None,
    in_place: InPlace = False,
    no_live: NoLive = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    queue: QueueFile = None,
    skip_permissions: SkipPermissions = False,
    verbose: Verbose = False,
) -> None:
    """Work the sessions that an `acd run` on the same database queued, until stopped; it begins none by itself.

    A target that has no folder on this machine is worked in a clone where its entry says `clone`, else left to others.

    Ctrl-C ends the sessions in order, a second one at once. Exit status: that of `acd run`.
    """
    settings = working_settings(home, database_url, queue, concurrency, in_place, skip_permissions)
    options = RunOptions(concurrency=settings.concurrency)

    async def work(db: Database, observer: Observer, ending: Ending) -> RunResult:
        observer.message("working what others queue; Ctrl-C ends in order", warning=False)
        return await worker(db, settings, options, observer=observer, ending=ending)

    look = Look(live=not no_live, serve=False)
    raise typer.Exit(work_and_show(settings, "worker", look, work))
