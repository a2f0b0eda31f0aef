"""What routes are given: the parts that the server was started with, kept on the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger.pending import Backlog
from acd.queue.sync import SyncResult
from acd.web.access import Access
from acd.web.live import Live

Sync = Callable[[Database, Settings], Awaitable[SyncResult]]
"""Reads the queue file of the settings into `targets`; raises QueueFileError."""

Pending = Callable[[], Awaitable[Backlog]]
"""What this machine's files hold that is not recorded."""


@dataclass(frozen=True)
class Parts:
    """Everything that a route may use."""

    db: Database
    settings: Settings
    access: Access
    live: Live
    sync: Sync
    pending: Pending | None = None


async def _parts(request: Request) -> Parts:
    parts = request.app.state.parts
    if not isinstance(parts, Parts):
        raise TypeError("the application was made without its parts")
    return parts


async def _database(request: Request) -> Database:
    return (await _parts(request)).db


GivenParts = Annotated[Parts, Depends(_parts)]
GivenDatabase = Annotated[Database, Depends(_database)]
