"""`acd import`: history that agents left in their own folders → records."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from acd.cli.counts import nothing_new
from acd.cli.failures import FAILED
from acd.cli.figures import count_of
from acd.cli.loading import load
from acd.cli.opened import ask
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import make_console, say, show_json
from acd.core.environment import load_settings
from acd.core.errors import DatabaseAway, ImportBroken
from acd.core.settings import Settings
from acd.core.text import printable
from acd.database.connection import Database
from acd.history.choosing import choose
from acd.history.done import Imported, Unread
from acd.history.looking import Found, Roots, find, passed_over

app = new_app()

# What imports loads the price list, for a second: only where something is new.
_IMPORTING = "acd.history.importing"
_PROGRESS = "acd.cli.import_progress"
_WATCH_S = 2.0
_MOST_NAMED = 20


class Waiting(msgspec.Struct, frozen=True, rename="camel"):
    """What `--dry-run --json` prints: files that are there, and those that hold something new, with about how many bytes."""

    files: int
    changed: int
    bytes: int
    agents: dict[str, int]


@app.command()
def bring(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]…",
            help="Folders or transcripts; the agents' own folders if left out.",
        ),
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NAME", help="Only this agent's history.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on importing what agents write, until Ctrl-C.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is there and what is new.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Import the history that agents keep in their own folders: sessions, requests, tokens, cost, errors.

    Nothing is counted twice, however often and in whatever order you import; what acd worked itself is completed. Only
    what is new is read, and nothing there is ever changed. Sessions belong to the repository of their working folder;
    one that no queue file names gets a target of its own, which is never worked. Ctrl-C keeps what is done.

    Examples: acd import; acd import ~/backup/.claude; acd import --agent claude-code --watch
    """
    settings = load_settings(home=home, database_url=database_url)
    named = [Path(path).expanduser().absolute() for path in paths or ()]
    roots = choose(settings, os.environ, agent, named)
    if dry_run:
        _show_waiting(ask(settings, "import", lambda db: _waiting(db, settings, roots)), as_json)
    elif watch:
        ask(settings, "import", lambda db: _watch(db, settings, roots))
    else:
        _import_once(settings, roots, as_json)


def _import_once(settings: Settings, roots: Roots, as_json: bool) -> None:
    begun = time.monotonic()
    done = ask(settings, "import", lambda db: _import(db, settings, roots, quiet=as_json))
    if as_json:
        show_json(msgspec.json.encode(done))
    else:
        _tell(done, time.monotonic() - begun)
    if done.unread:
        raise typer.Exit(FAILED)


async def _waiting(database: Database, settings: Settings, roots: Roots) -> list[Found]:
    return await find(database, settings.host_name, roots)


async def _import(
    database: Database, settings: Settings, roots: Roots, *, quiet: bool = False
) -> Imported:
    """Import what is new, with a progress bar on a terminal."""
    found = await find(database, settings.host_name, roots)
    if not any(one.changed for one in found):
        return Imported(files=len(found), passed_over=passed_over(found))
    importer = load(_IMPORTING).Importer(database, settings)
    with load(_PROGRESS).shown(make_console(stderr=True), quiet=quiet) as tell:
        importer.tell = tell
        done: Imported = await importer.run(roots)
        return done


async def _watch(database: Database, settings: Settings, roots: Roots) -> None:
    """Import again and again. An outage of the database only delays, and so does a process that was killed."""
    say("Importing what agents write, until Ctrl-C.")
    away = False
    while True:
        try:
            done = await _import(database, settings, roots)
        except DatabaseAway as error:
            if not away:
                say(f"! the database is away: {error}; waiting")
            away = True
        except ImportBroken as error:
            say(f"! {error}")
        else:
            if away:
                say("The database is back.")
            away = False
            if done.lines:
                _tell(done, None)
        await asyncio.sleep(_WATCH_S)


def _tell(done: Imported, seconds: float | None) -> None:
    for one in done.unread[:_MOST_NAMED]:
        say(f"! {printable(one.path)}: {one.reason}")
    if len(done.unread) > _MOST_NAMED:
        say(f"! and {count_of(len(done.unread) - _MOST_NAMED, 'more file')}")
    if not done.lines:
        say(nothing_new(done.files, seconds))
    else:
        took = "" if seconds is None else f" in {seconds:.1f} s"
        new = f"{count_of(done.sessions, 'new session')}, {count_of(done.targets, 'new target')}"
        say(
            f"Imported {count_of(done.requests, 'request')} from {count_of(done.lines, 'line')} of "
            f"{count_of(done.changed, 'file')} ({done.bytes:,} bytes{took}): {new}."
        )
    if done.left_out:
        say(
            f"{count_of(done.left_out, 'line')} could not be read: `acd audit SESSION` says which and why."
        )
    if done.left:
        say(f"{count_of(done.left, 'file')} of sessions that acd works itself: it records them.")
    _tell_passed_over(done.passed_over)


def _tell_passed_over(files: list[Unread]) -> None:
    reasons: dict[str, list[str]] = {}
    for one in files:
        reasons.setdefault(one.reason, []).append(one.path)
    for reason, paths in sorted(reasons.items()):
        say(f"{count_of(len(paths), 'file')} left out, such as {printable(paths[0])}: {reason}.")


def _show_waiting(found: list[Found], as_json: bool) -> None:
    changed = [one for one in found if one.changed]
    agents: dict[str, int] = {}
    for one in found:
        agents[one.history.name] = agents.get(one.history.name, 0) + 1
    size = sum(one.waiting for one in changed)
    if as_json:
        show_json(msgspec.json.encode(Waiting(len(found), len(changed), size, agents)))
        return
    for name, count in sorted(agents.items()):
        say(f"{name}: {count_of(count, 'file')}")
    say(f"{count_of(len(changed), 'file')} with something new, about {size:,} bytes.")
    _tell_passed_over(passed_over(found))
