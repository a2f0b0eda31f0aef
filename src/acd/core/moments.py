"""Times as people write them: `yesterday`, `7d`, `2026-11-24`, `2026-11-24T08:00`, each in a time zone."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from acd.core.errors import ConfigError

_AGO = re.compile(r"(\d{1,5}) ?(m|min|h|d|w)(?: ago)?", re.ASCII)
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HOW = "yesterday, today, now, 12h, 7d, 2026-11-24, 2026-11-24T08:00 or 2026-11-24T08:00+01:00"


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its name in the IANA database.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"unknown time zone {name!r}; give one like Europe/Berlin") from error


def moment_of(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment that is meant; a day is its beginning, a length of time so long ago, all in `zone`.

    Args:
        text: what was written; a time of its own zone keeps that.
        zone: in which a day is a day.
        now: the time, with its zone.

    Raises:
        ConfigError: it cannot be understood; says what can.
    """
    word = text.strip().lower()
    today = datetime.combine(now.astimezone(zone).date(), time(), zone)
    known = {"now": now, "today": today, "yesterday": today - timedelta(days=1)}
    try:
        if word in known:
            return known[word]
        if ago := _AGO.fullmatch(word):
            return now - int(ago[1]) * _UNITS[ago[2]]
        if _DAY.fullmatch(word) or "t" in word or " " in word:
            found = datetime.fromisoformat(text.strip())
            return found if found.tzinfo else found.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        pass  # told below
    raise ConfigError(f"{text!r} is no time: write {_HOW}")
