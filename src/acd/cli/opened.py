"""The database for the length of one command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.database.connection import Database, open_database

T = TypeVar("T")


def make_home(settings: Settings) -> None:
    """Make ACD_HOME, where it is missing, for its owner alone; one that is there keeps its permissions.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{settings.home} cannot be made: {error.strerror}; set ACD_HOME"
        ) from error


def ask(settings: Settings, command: str, question: Callable[[Database], Awaitable[T]]) -> T:
    """Open the database, ask, close it.

    Raises:
        ConfigError: as `make_home`.
        DatabaseError: as `open_database` and whatever is asked.
    """
    make_home(settings)

    async def opened() -> T:
        async with open_database(settings, application=f"acd {command}") as database:
            return await question(database)

    return asyncio.run(opened())
