"""How figures look in a terminal: those of the pages, and times in the user's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from rich.text import Text

from acd.cli.amounts import listed, spent
from acd.cli.counts import count_of
from acd.core.text import printable
from acd.dashboard.formats import NOTHING, duration, money, signed, tokens

__all__ = [
    "NOTHING",
    "brief",
    "count_of",
    "duration",
    "elapsed",
    "features",
    "gap",
    "listed",
    "moment",
    "money",
    "number",
    "outcome",
    "signed",
    "spent",
    "tokens",
]

_RECENT = timedelta(days=180)
_STYLES = {
    "completed": "green",
    "complete": "green",
    "passing": "green",
    "ok": "green",
    "running": "cyan",
    "active": "cyan",
    "claimed": "yellow",
    "warn": "yellow",
    "paused": "dim",
    "removed": "dim",
    "skipped": "dim",
    "failed": "red",
    "fail": "red",
    "blocked": "red",
    "regressed": "red",
    "rejected": "red",
}


def moment(when: datetime | None) -> str:
    """Local time: of today to the second, of the last months to the minute, else the day."""
    if when is None:
        return NOTHING
    local, now = when.astimezone(), datetime.now(UTC).astimezone()
    if local.date() == now.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%m-%d %H:%M" if abs(now - local) < _RECENT else "%Y-%m-%d")


def elapsed(since: datetime, now: datetime | None = None) -> str:
    """How long ago; never negative, as clocks of two machines may differ."""
    seconds = max(int(((now or datetime.now(UTC)) - since).total_seconds()), 0)
    return brief(seconds * 1000)


def brief(milliseconds: int | None) -> str:
    """A length of time in at most six characters: `12s`, `3m05s`, `2h10m`, `4d`."""
    if milliseconds is None:
        return NOTHING
    minutes, seconds = divmod(milliseconds // 1000, 60)
    if milliseconds < 10_000:
        return f"{milliseconds / 1000:.1f}s"
    if minutes < 1:
        return f"{seconds}s"
    if minutes < 60:
        return f"{minutes}m{seconds:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours < 96 else f"{hours // 24}d"


def number(session_number: int | None) -> str:
    """A session's number; imported sessions have none."""
    return NOTHING if session_number is None else f"#{session_number}"


def gap(cost_gap_usd: Decimal) -> str:
    """How far what agents report lies above (or below) our price."""
    sign = "+" if cost_gap_usd > 0 else "\N{MINUS SIGN}"
    return sign + money(abs(cost_gap_usd))


def features(passing: int, total: int, verified: int) -> Text:
    """`12/20`, with the word wherever some of what passes is the agent's claim alone."""
    if not total:
        return Text("no list yet", "dim")
    text = Text(f"{passing}/{total}", "green" if passing == total else "")
    if passing > verified:
        text.append(" unverified", "yellow")
    return text


def outcome(word: str, detail: str | None = None) -> Text:
    """A status in its colour, with what it is about where there is something."""
    text = Text(printable(word), _STYLES.get(word, ""))
    if detail:
        text.append(f" {printable(detail)}", "dim")
    return text
