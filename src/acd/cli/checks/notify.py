"""Notifications: can they be sent, and did the last ones arrive?"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from contextlib import aclosing

from acd.cli.checks.finding import Finding, fail, ok, warn
from acd.cli.figures import moment
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.notify.addresses import Address, read_addresses
from acd.notify.carrier import NotSent, deliver
from acd.notify.trouble import Troubles

_SUBJECT = "notifications"


async def check_notifications(settings: Settings) -> list[Finding]:
    """Nothing where none are wanted. Sends nothing."""
    try:
        addresses = read_addresses(settings)
    except ConfigError as error:
        return [fail(_SUBJECT, str(error))]
    found = await asyncio.gather(*(_check(settings, each) for each in addresses))
    return [*found, *_privacy(settings)]


async def _check(settings: Settings, address: Address) -> Finding:
    try:
        async with aclosing(deliver(address, [])) as answers:
            reason = (await anext(answers)).reason
    except NotSent as error:
        reason = str(error)
    if reason:
        return fail(_SUBJECT, f"{address.label}: {reason}", "See docs/notifications.md.")
    trouble = Troubles(settings).read(address.number)
    if trouble is not None:
        return warn(
            _SUBJECT,
            f"{trouble.address}: {trouble.count} not sent at {moment(trouble.at)}: {trouble.reason}",
            "acd notify test",
        )
    return ok(_SUBJECT, f"{address.label} is understood; `acd notify test` sends something there")


def _privacy(settings: Settings) -> Iterator[Finding]:
    path = settings.notify_urls_file
    if path is not None and path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield warn(_SUBJECT, f"others can read {path}, which holds secrets", f"chmod 600 {path}")
