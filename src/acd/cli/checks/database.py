"""The database: reachable, of this version, and its sums agreeing."""

from __future__ import annotations

from acd.cli.checks.finding import Finding, fail, ok, warn
from acd.core.errors import DatabaseAway, DatabaseError
from acd.core.glance_rows import Standing
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.ledger.pending import pending_folders
from acd.reports import glance, live, targets, totals
from acd.reports.rows import row_of


async def check_database(settings: Settings) -> list[Finding]:
    """Open it as every command does (the embedded server is started for that); migrate only the embedded one."""
    try:
        async with open_database(
            settings, application="acd doctor", migrate=settings.database_url is None
        ) as db:
            return [*await _server(db, settings), *await _ledger(db), await _waiting(db, settings)]
    except DatabaseAway as error:
        advice = (
            "Start that server, or mend DATABASE_URL; unset, acd uses an embedded server."
            if settings.database_url
            else "Its log says more: `acd db status` tells where that is."
        )
        return [fail("database", str(error), advice)]
    except DatabaseError as error:
        return [fail("database", str(error))]


async def _server(db: Database, settings: Settings) -> list[Finding]:
    seen = row_of(await live.health(db), dict[str, object])
    state = await db.fetch_one("schema.state") or {}
    place = "DATABASE_URL" if settings.database_url else "embedded"
    return [
        ok(
            "database",
            f"PostgreSQL {seen['serverVersion']} ({place}), schema {state.get('revision')}",
        ),
        ok("time zone", f"a day is a day of {state.get('timezone')}"),
    ]


async def _ledger(db: Database) -> list[Finding]:
    standing = row_of(await glance.standing(db), Standing)
    summary = row_of(await targets.summary(db), dict[str, object])
    differences = totals.disagreements(await totals.four_ways(db))
    found = [
        fail("ledger", difference, "This is a defect of acd: please report it.")
        for difference in differences
    ] or [ok("ledger", "sessions, requests, models and days add up to the same")]
    if standing.left_out_lines:
        found.append(
            warn(
                "lines",
                f"{standing.left_out_lines} lines of agents could not be read",
                "The table left_out_lines tells where they stand and why; a newer acd may read them.",
            )
        )
    if summary["unpricedRequests"]:
        found.append(
            warn(
                "prices",
                f"{summary['unpricedRequests']} requests have no known price and are in no cost",
                "`acd prices` names their models; a newer genai-prices may know them.",
            )
        )
    return found


async def _waiting(db: Database, settings: Settings) -> Finding:
    waiting = await pending_folders(db, settings)
    if not waiting:
        return ok("recording", "everything in the files of this machine is recorded")
    return warn(
        "recording",
        f"{sum(waiting.values()):,} bytes in {len(waiting)} session folders are not recorded yet",
        "Fine while sessions run; else `acd sync` records them.",
    )
