"""`acd notify`: do notifications arrive?"""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import msgspec
import typer

from acd.cli.failures import FAILED
from acd.cli.figures import outcome
from acd.cli.options import AsJson, Home, Verbose, new_app
from acd.cli.output import Cell, Column, show_json, show_table
from acd.core.environment import load_settings
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.notify.addresses import Address, read_addresses
from acd.notify.carrier import NotSent, deliver
from acd.notify.trouble import Troubles
from acd.notify.wire import Notice

app = new_app()

_COLUMNS = (Column("Address"), Column(""), Column("Why", wrapped=True))
_UNSET = (
    "there is nowhere to notify: set ACD_NOTIFY_URLS, or ACD_NOTIFY_URLS_FILE, to Apprise URLs such as "
    "ntfys://your-topic (docs/notifications.md)"
)


class Tested(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a test arrived; `address` is its place and scheme, `reason` why it did not."""

    address: str
    arrived: bool
    reason: str | None = None


@app.callback()
def notify() -> None:
    """Notifications, sent by `acd run` and `acd worker` where ACD_NOTIFY_URLS names addresses."""


@app.command("test")
def send_test(as_json: AsJson = False, home: Home = None, verbose: Verbose = False) -> None:
    """Send a notification to every address and say whether it arrived.

    Exit status 1 when one did not. Addresses are named by their place and scheme: the rest of them is secret.
    """
    settings = load_settings(home=home)
    addresses = read_addresses(settings)
    if not addresses:
        raise ConfigError(_UNSET)
    tested = asyncio.run(_test(settings, addresses))
    if as_json:
        show_json(msgspec.json.encode(tested))
    else:
        rows: list[list[Cell]] = [
            [one.address, outcome("ok" if one.arrived else "fail"), one.reason or "arrived"]
            for one in tested
        ]
        show_table(_COLUMNS, rows)
    if not all(one.arrived for one in tested):
        raise typer.Exit(FAILED)


async def _test(settings: Settings, addresses: list[Address]) -> list[Tested]:
    tested = await asyncio.gather(*map(_send_one, addresses))
    troubles = Troubles(settings)
    for address, one in zip(addresses, tested, strict=True):
        if one.arrived:
            troubles.over(address.number)
    return tested


async def _send_one(address: Address) -> Tested:
    body = "If you can read this, acd can notify you here."
    notice = Notice("finished", "", "acd: a test", body)
    reason: str | None = None
    try:
        async with aclosing(deliver(address, [notice])) as answers:
            async for answer in answers:
                reason = reason or answer.reason
    except NotSent as error:
        reason = str(error)
    return Tested(address.label, reason is None, reason)
