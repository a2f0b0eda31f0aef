"""`acd audit`: a total, explained down to file and byte offset."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from acd.cli.figures import count_of, moment, spent, tokens
from acd.cli.opened import ask
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import Column, say, show_json, show_table
from acd.core.environment import load_settings
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.core.text import printable
from acd.database.connection import Database
from acd.history.audit import Audit, Audited, audit
from acd.reports.glance import session_meant

app = new_app()

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_COLUMNS = (
    Column("Time"),
    Column("Model"),
    Column("Input", right=True),
    Column("Output", right=True),
    Column("Cached", right=True),
    Column("Written", right=True),
    Column("Cost", right=True),
    Column("Where", flexible=True),
)


@app.command()
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="SESSION|DAY",
            help="A session (its id or the beginning, or TARGET#NUMBER), or a day: 2026-11-22.",
        ),
    ],
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Explain what a session or a day comes to: each request with file and byte offset of the line that counts.

    Lines that could not be read are listed with the reason. The files are read again, so it works where they are: on the
    machine that recorded them. `--json` names every line of each request, also those that only repeat it.
    """
    settings = load_settings(home=home, database_url=database_url)
    found = ask(settings, "audit", lambda db: _audit(db, settings, what))
    if as_json:
        show_json(msgspec.json.encode(found))
    else:
        _show(found)


async def _audit(database: Database, settings: Settings, what: str) -> Audit:
    if _DAY.fullmatch(what):
        try:
            return await audit(database, settings, day=date.fromisoformat(what))
        except ValueError as error:
            raise ConfigError(f"{what} is no day") from error
    session_id = await session_meant(database, what)
    if session_id is None:
        raise ConfigError(
            f"there is no session {what!r}: give at least four characters of its id, TARGET#NUMBER, or a day such as 2026-11-22"
        )
    return await audit(database, settings, session_id=session_id)


def _show(found: Audit) -> None:
    rows = [
        (
            moment(one.requested_at),
            one.model,
            tokens(one.usage.input_tokens),
            tokens(one.usage.output_tokens),
            tokens(one.usage.cache_read_tokens),
            tokens(one.usage.cache_write_tokens),
            "unpriced" if one.cost_usd is None else spent(one.cost_usd),
            _where(one),
        )
        for one in found.requests
    ]
    show_table(_COLUMNS, rows)
    total = found.total
    say(
        f"{count_of(len(found.requests), 'row')}: input {total.input_tokens:,}, output {total.output_tokens:,}, cached "
        f"{total.cache_read_tokens:,}, written {total.cache_write_tokens:,}; {spent(found.cost_usd, found.unpriced)}."
    )
    lines = sum(file.lines_read for file in found.files)
    left_out = sum(file.lines_left_out for file in found.files)
    say(
        f"{count_of(lines, 'line')} of {count_of(len(found.files), 'file')}, {left_out:,} left out."
    )
    for one in found.left_out:
        # An entry of a store has no place there: the reason begins with its name.
        at = f" at {one.offset:,} ({one.length:,} bytes)" if one.length else ""
        say(f"! {printable(one.file)}{at}: {printable(one.reason)}")


def _where(one: Audited) -> str:
    place = next((place for place in one.places if place.counted), None)
    if place is not None:
        more = len(one.places) - 1
        where = place.entry or place.offset
        return printable(f"{Path(place.file).name}:{where}") + (f" +{more}" if more else "")
    return "not on this machine" if one.is_request else "reported beyond the requests"
