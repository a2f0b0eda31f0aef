"""`acd report --html FILE`: loaded only when it is asked for, because templates and charts take their time."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from acd.cli.source import Source, ask
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.core.summary_rows import NightSummary
from acd.dashboard.offline import Told, page
from acd.reports.rows import row_of


def write_report(
    settings: Settings, file: Path, since: datetime, until: datetime, zone: ZoneInfo
) -> int:
    """Write the report of a time as a page; a file that is there already is replaced once the new one is whole.

    Returns:
        How many bytes it has.

    Raises:
        ConfigError: the file cannot be written, or acd was installed without the script that draws charts; and as `ask`.
    """
    if not file.name or file.is_dir():
        raise ConfigError(f"{file} is a folder: name a file")
    text = page(ask(settings, "report", lambda source: _told(source, since, until, zone)))
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    return len(text.encode())


async def _told(source: Source, since: datetime, until: datetime, zone: ZoneInfo) -> Told:
    first = since.astimezone(zone).date()
    last = (until - timedelta(microseconds=1)).astimezone(zone).date()
    compared = await source.models(first, last, same_targets=True)
    if not compared.models:
        compared = await source.models(first, last, same_targets=False)
    return Told(
        night=row_of(await source.summary(since=since, until=until), NightSummary),
        spent=await source.money(first, last),
        compared=compared,
        zone=zone,
        made_at=datetime.now(UTC),
    )
