"""Prices of this machine's database: set, taken back, and requests priced anew. Loaded by `acd prices` and `acd reprice`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date

import msgspec

from acd.cli.opened import make_home
from acd.core.price_rows import PriceOverride, Repriced
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.ledger import overrides
from acd.ledger.price import PriceList, Rates
from acd.ledger.reprice import Chosen, reprice
from acd.reports import prices


class PriceBook:
    """See the functions of `acd.ledger.overrides` and `acd.ledger.reprice`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def overrides(self) -> list[PriceOverride]:
        """All that were set."""
        return msgspec.json.decode(await prices.overrides(self._db), type=list[PriceOverride])

    async def put(self, model: str, provider: str, valid_from: date, rates: Rates) -> None:
        """Set one."""
        await overrides.put(self._db, model, provider, valid_from, rates)

    async def drop(self, model: str, provider: str | None, valid_from: date | None) -> int:
        """Take some back; how many."""
        return await overrides.drop(self._db, model, provider=provider, valid_from=valid_from)

    async def reprice(
        self, chosen: Chosen, *, dry_run: bool, told: Callable[[int, int], None]
    ) -> Repriced:
        """Price requests anew."""
        return await reprice(self._db, PriceList(), chosen, dry_run=dry_run, told=told)


@asynccontextmanager
async def opened(settings: Settings, command: str) -> AsyncIterator[PriceBook]:
    """The price book, with the database open for the length of a block."""
    make_home(settings)
    async with open_database(settings, application=f"acd {command}") as database:
        yield PriceBook(database)
