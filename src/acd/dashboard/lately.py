"""How old the figures of a page may be while something is written: a second.

Every commit makes other answers of every report, and a session that is recorded commits several times a second. A page that
is followed is asked for once a second at most, so that its reader gets fresh figures each time; its script asks once more
when nothing happens any more (`live.js`). Where nothing is written, and after an order that this server carried
out, figures are of the moment. The API never tells anything older than the question.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from acd.database.connection import Database
from acd.web.parts import GivenDatabase

PATIENCE_S = 1.0


def lately(db: Database) -> Database:
    """The database as pages ask it."""
    return db.lately(PATIENCE_S)


async def _lately(db: GivenDatabase) -> Database:
    return lately(db)


GivenLately = Annotated[Database, Depends(_lately)]
