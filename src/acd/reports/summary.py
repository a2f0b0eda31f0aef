"""What was done in a time that is over, and what runs now: the summary of a night."""

from __future__ import annotations

from datetime import datetime

from acd.database.connection import Database
from acd.reports import live
from acd.reports._read import read


async def of_period(
    db: Database, *, since: datetime | None = None, until: datetime | None = None
) -> bytes:
    """One `NightSummary`; from the beginning of yesterday (in the database's zone) to now unless told.

    Raises:
        DatabaseAway: there is no database now.
    """
    period = await read(db, "summary.of_period", since=since, until=until)
    return b'{"period":%s,"running":%s}' % (period, await live.running(db))
