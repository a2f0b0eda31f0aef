"""`acd db`: the database itself."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from acd.cli.options import AsJson, DatabaseUrl, Home, new_app
from acd.cli.output import say, show_json
from acd.core.environment import load_settings
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.database import maintenance
from acd.database.opening import reachable
from acd.database.programs import call_psql

app = new_app()

File = Annotated[Path, typer.Argument(help="File of the dump (PostgreSQL's custom format).")]


def _settings(home: Path | None, database_url: str | None) -> Settings:
    return load_settings(home=home, database_url=database_url)


@app.command()
def start(home: Home = None, database_url: DatabaseUrl = None) -> None:
    """Start the embedded PostgreSQL and keep it up until `acd db stop`."""
    settings = _settings(home, database_url)
    maintenance.keep_up(settings)
    asyncio.run(maintenance.bring_to_newest(settings))
    say("PostgreSQL stays up until `acd db stop`; `acd db url` tells where.")


@app.command()
def stop(home: Home = None, database_url: DatabaseUrl = None) -> None:
    """Let the embedded PostgreSQL stop: now, or when what still uses it ends."""
    if maintenance.let_stop(_settings(home, database_url)):
        say("PostgreSQL is stopped.")
    else:
        say("PostgreSQL is still used by another process and stops when that ends.")


@app.command()
def status(home: Home = None, database_url: DatabaseUrl = None, json: AsJson = False) -> None:
    """Where the database is, whether it can be reached, its version, schema, time zone and size."""
    found = asyncio.run(maintenance.status(_settings(home, database_url)))
    if json:
        show_json(msgspec.json.encode(found, enc_hook=str))
        return
    for title, value in _lines(found):
        say(f"{title:<12}{value}")


def _lines(found: maintenance.Status) -> list[tuple[str, str]]:
    state = "reachable" if found.reachable else f"not reachable: {found.problem}"
    revision = found.revision or "none"
    newest = "" if revision == found.newest_revision else f" (this acd has {found.newest_revision})"
    lines = [("source", found.source), ("place", found.place), ("state", state)]
    if found.reachable:
        lines += [
            ("PostgreSQL", found.server_version or "?"),
            ("schema", revision + newest),
            ("time zone", found.timezone or "none"),
            ("size", f"{(found.size_bytes or 0) / 1024**2:.1f} MiB"),
            ("clients", str(found.clients)),
        ]
    embedded = found.embedded
    if embedded:
        lines += [
            ("data", str(embedded.data)),
            ("log", str(embedded.log)),
            ("programs", str(embedded.binaries)),
            ("runs as", embedded.runs_as or "you"),
            ("kept up", "until `acd db stop`" if embedded.kept else "while something uses it"),
        ]
    return lines


@app.command()
def upgrade(home: Home = None, database_url: DatabaseUrl = None) -> None:
    """Bring the schema to the newest revision."""
    revision = asyncio.run(maintenance.bring_to_newest(_settings(home, database_url)))
    say(f"The schema is at revision {revision}.")


@app.command(context_settings={"ignore_unknown_options": True})
def psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGUMENTS]…", help="For psql, such as -c SQL.")
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Open PostgreSQL's own shell on the database."""
    settings = _settings(home, database_url)

    async def call() -> int:
        async with reachable(settings) as (url, _):
            # Ctrl-C belongs to psql: there it ends a statement, not the shell.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                return await asyncio.to_thread(call_psql, settings, url, arguments or [])
            finally:
                signal.signal(signal.SIGINT, before)

    raise typer.Exit(asyncio.run(call()))


@app.command()
def dump(file: File, home: Home = None, database_url: DatabaseUrl = None) -> None:
    """Write the whole database into a file."""
    asyncio.run(maintenance.dump(_settings(home, database_url), file))
    say(f"Written: {file}")


@app.command()
def restore(
    file: File,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop the records that are there already.")
    ] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Fill the database from a dump."""
    asyncio.run(maintenance.restore(_settings(home, database_url), file, replace=replace))
    say("Restored.")


@app.command()
def destroy(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove the embedded database and everything recorded in it. Session files stay."""
    settings = _settings(home, database_url)
    place = maintenance.embedded_folder(settings)
    if not yes and not typer.confirm(f"Remove the database in {place} with everything in it?"):
        raise ConfigError("nothing was removed")
    maintenance.destroy(settings)
    say(f"Removed: {place}")


@app.command()
def url(home: Home = None, database_url: DatabaseUrl = None) -> None:
    """Print the URL, for psql and other programs; the embedded server must be kept up for them."""
    print(maintenance.url_of(_settings(home, database_url)))


@app.command()
def timezone(
    zone: Annotated[str, typer.Argument(help="Such as Europe/Berlin.")],
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Count days in another time zone, and recompute every sum by day."""
    chosen = load_settings(home=home, database_url=database_url, timezone=zone).timezone
    asyncio.run(maintenance.set_timezone(_settings(home, database_url), chosen))
    say(f"Days are counted in {chosen} now.")
