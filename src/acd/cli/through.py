"""A command's work through this machine's database, or through the server that ACD_URL names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from acd.cli.loading import load
from acd.core.settings import Settings

T = TypeVar("T")


def through(
    here: str,
    there: str,
    settings: Settings,
    command: str,
    work: Callable[[Any], Awaitable[T]],
) -> T:
    """Do a command's work through what a module opens: `here`, or `there` where ACD_URL names another server.

    Each module has `opened(settings, command)`, an asynchronous context; both give things of one protocol.

    Raises:
        ConfigError: ACD_HOME cannot be made, ACD_URL is no address.
        DatabaseError: as `open_database` and whatever is done. ServerError: as the client.
    """
    module = load(there if settings.url else here)

    async def done() -> T:
        async with module.opened(settings, command) as opened:
            return await work(opened)

    return asyncio.run(done())
