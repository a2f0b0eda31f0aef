"""The small file that `acd statusline` reads, so that it need not ask a database: today, the block that runs, targets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from acd.core.billing import MARKS, part_of
from acd.core.errors import AcdError
from acd.core.settings import Settings
from acd.core.usage_rows import Asked, BlockReport, UsageReport
from acd.database.connection import Database
from acd.reports import used

logger = logging.getLogger("acd.queue")

NAME = "statusline.json"
EVERY_S = 15.0
_OF_TARGETS = 1000


class StatusTarget(msgspec.Struct, frozen=True, rename="camel"):
    """A target, found by the folder that somebody works in."""

    path: str
    repo_id: str
    passing: int
    total: int


class StatusFile(msgspec.Struct, frozen=True, rename="camel"):
    """All of the file. Times are seconds since the epoch, money is text; the block's are None while none runs.

    `today_listed`, `block_listed`: that the cost is at list price, or partly, in words; empty where it is billed as it stands.
    """

    written_at: float
    day_ends: float
    today_usd: str
    block_usd: str | None
    block_ends: float | None
    targets: list[StatusTarget]
    today_listed: str = ""
    block_listed: str = ""


async def write_status_file(db: Database, settings: Settings) -> None:
    """Write the file anew, all of it at once.

    Raises:
        DatabaseAway: the old one stays. OSError: it cannot be written.
    """
    content = msgspec.json.encode(await _read(db))
    await asyncio.to_thread(_replace, settings.home / NAME, content)


async def keep_status_file(db: Database, settings: Settings) -> None:
    """Write it every 15 seconds until cancelled; what goes wrong is said once and tried again."""
    said = ""
    while True:
        try:
            await write_status_file(db, settings)
        except (AcdError, OSError) as error:
            if str(error) != said:
                said = str(error)
                logger.info("%s is not fresh: %s", NAME, error)
        await asyncio.sleep(EVERY_S)


@contextlib.asynccontextmanager
async def kept_status_file(db: Database, settings: Settings) -> AsyncGenerator[None]:
    """The file, kept for the length of a block."""
    keeping = asyncio.create_task(keep_status_file(db, settings), name="status-file")
    try:
        yield
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


async def _read(db: Database) -> StatusFile:
    usage = await used.usage(db, "day", Asked(days=1))
    today = msgspec.json.decode(usage, type=UsageReport)
    found = msgspec.json.decode(await used.blocks(db, Asked(days=1)), type=BlockReport)
    block = next((row for row in found.rows if row.active), None)
    listed = ""
    if block and block.first_at:  # the newest: all that was spent since then is it
        own = await used.blocks(db, Asked(since=block.first_at, days=1))
        part = msgspec.json.decode(own, type=BlockReport)
        listed = MARKS[part_of(part.total.cost_usd, part.list_price_cost_usd)]
    targets = await db.fetch_all("targets.folders", limit=_OF_TARGETS)
    tomorrow = today.since.date() + timedelta(days=1)
    return StatusFile(
        written_at=datetime.now(UTC).timestamp(),
        day_ends=datetime.combine(tomorrow, time(), ZoneInfo(today.timezone)).timestamp(),
        today_usd=f"{today.total.cost_usd:f}",
        block_usd=f"{block.cost_usd:f}" if block else None,
        block_ends=block.until.timestamp() if block and block.until else None,
        today_listed=MARKS[part_of(today.total.cost_usd, today.list_price_cost_usd)],
        block_listed=listed,
        targets=[
            StatusTarget(
                row["path"], row["repo_id"], row["passing_features"], row["total_features"]
            )
            for row in targets
        ],
    )


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        part.chmod(0o600)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
