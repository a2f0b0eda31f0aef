"""`acd session`: one session with everything that is recorded of it."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

import typer

from acd.cli.opened import ask
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import show_json
from acd.cli.session_page import WholeSession, show_session, show_timeline
from acd.core.contract import TimelineRow
from acd.core.errors import ConfigError
from acd.core.settings import load_settings
from acd.database.connection import Database
from acd.reports import glance
from acd.reports import sessions as report
from acd.reports.rows import row_of, rows_of

app = new_app()

_ID = re.compile(r"[0-9a-fA-F-]{4,36}")
_NUMBERED = re.compile(r"(?P<repo>.+)[#](?P<number>\d{1,9})")
_SHOWN = 15
_MANY = 1_000_000


@app.command()
def session(
    name: Annotated[
        str,
        typer.Argument(
            metavar="SESSION", help="Its id (the beginning will do), or TARGET#NUMBER: shop-api#12."
        ),
    ],
    events: Annotated[
        bool, typer.Option("--events", help="The whole timeline; with --json that alone.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """One session: figures, requests by model, features, commits, errors, timeline. It starts none: `acd run` does."""
    settings = load_settings(home=home, database_url=database_url)

    async def read(db: Database) -> tuple[bytes, bytes]:
        session_id = await _find(db, name)
        whole = await report.one(db, session_id)
        if whole is None:
            raise ConfigError(f"there is no session {name!r}; `acd sessions` lists them")
        timeline = await glance.timeline(db, session_id, limit=_MANY if events else _SHOWN)
        return whole, timeline

    whole, timeline = ask(settings, "session", read)
    if as_json:
        show_json(timeline if events else whole)
        return
    show_session(row_of(whole, WholeSession))
    show_timeline(rows_of(timeline, TimelineRow), whole=events)


async def _find(db: Database, name: str) -> UUID:
    numbered = _NUMBERED.fullmatch(name)
    if numbered:
        found = await glance.session_numbered(db, numbered["repo"], int(numbered["number"]))
        if found is not None:
            return found
    elif _ID.fullmatch(name):
        matching = await glance.sessions_named(db, name)
        if len(matching) > 1:
            raise ConfigError(f"several sessions begin with {name!r}: give more of its id")
        if matching:
            return matching[0]
    raise ConfigError(
        f"there is no session {name!r}: give at least four characters of its id, or TARGET#NUMBER; "
        "`acd sessions` lists them"
    )
