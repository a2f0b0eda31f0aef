"""An import as `acd import` makes it, in this process."""

from __future__ import annotations

import asyncio
from pathlib import Path

from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.history.choosing import choose
from acd.history.done import Imported
from acd.history.importing import Importer


def import_history(url: str, folder: Path) -> Imported:
    """Import `folder/history`, which is as an agent's own configuration folder."""
    return asyncio.run(_import(url, folder))


async def _import(url: str, folder: Path) -> Imported:
    settings = Settings(home=folder / "home", database_url=url)
    async with open_database(settings, application="test") as database:
        roots = choose(settings, {}, "claude-code", [folder / "history"])
        return await Importer(database, settings).run(roots)
