"""`acd reprice`: recorded requests priced anew."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from acd.cli.figures import count_of, money
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import say, show_json
from acd.cli.source import read_settings
from acd.cli.through import through
from acd.core.moments import moment_of, zone_named
from acd.core.price_rows import Repriced
from acd.ledger.reprice import Chosen

app = new_app()

_BOOK = "acd.cli.price_book"
_EVERY = 200


@app.command()
def reprice(
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Only requests since then: 7d, 2026-11-01. Else all."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Only of this model, as the agent names it."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Price recorded requests by what is known now: newer price lists, `acd prices set`.

    What each cost before is kept (table price_changes), and every sum follows. Cut short, what is done stays done.
    """
    settings = read_settings(home=home, database_url=database_url)
    first = since and moment_of(since, zone_named(settings.timezone), datetime.now(UTC))
    chosen = Chosen(first or None, model)

    async def work(book: Any) -> Repriced:  # noqa: ANN401 - a PriceBook, whose module is loaded late
        found: Repriced = await book.reprice(chosen, dry_run=dry_run, told=_tell)
        return found

    done = through(_BOOK, _BOOK, settings, "reprice", work)
    if as_json:
        show_json(msgspec.json.Encoder(decimal_format="number").encode(done))
    else:
        _say(done)


def _tell(done: int, of: int) -> None:
    if sys.stderr.isatty() and (done % _EVERY == 0 or done == of):
        print(f"\r{done:,} of {of:,} sessions", end="" if done < of else "\n", file=sys.stderr)


def _say(done: Repriced) -> None:
    if not done.changed_requests:
        say(f"{count_of(done.requests, 'request')} looked at: each has its price.")
        return
    would = "would cost" if done.dry_run else "cost"
    say(
        f"{count_of(done.changed_requests, 'request')} of {done.requests:,} {would} something else now, in "
        f"{count_of(done.changed_sessions, 'session')}: {money(done.cost_after_usd)} in all, "
        f"{money(done.cost_before_usd)} before."
    )
    if done.unpriced_before or done.unpriced_after:
        say(f"Without a known price: {done.unpriced_after:,}, {done.unpriced_before:,} before.")
    if done.dry_run:
        say("Nothing was changed: without --dry-run it is.")
