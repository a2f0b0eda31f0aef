"""`acd session`: one session with everything that is recorded of it."""

from __future__ import annotations

from typing import Annotated

import typer

from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import show_json
from acd.cli.session_page import WholeSession, show_session, show_timeline
from acd.cli.source import Source, ask, read_settings
from acd.core.errors import ConfigError
from acd.core.one_session import TimelineRow
from acd.reports.rows import row_of, rows_of

app = new_app()

_SHOWN = 15


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
    settings = read_settings(home=home, database_url=database_url)

    async def read(source: Source) -> tuple[bytes, bytes]:
        session_id = await source.session_meant(name)
        whole = None if session_id is None else await source.session(session_id)
        if session_id is None or whole is None:
            raise ConfigError(
                f"there is no session {name!r}: give at least four characters of its id, or TARGET#NUMBER; "
                "`acd sessions` lists them"
            )
        return whole, await source.timeline(session_id, last=None if events else _SHOWN)

    whole, timeline = ask(settings, "session", read)
    if as_json:
        show_json(timeline if events else whole)
        return
    show_session(row_of(whole, WholeSession))
    show_timeline(rows_of(timeline, TimelineRow), whole=events)
