"""How figures look on a page. The exact figure stands in the element's title wherever one is shortened."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

NOTHING = "\N{EN DASH}"
UNPRICED = "unpriced"
_SIZES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
_STEPS = ((10**9, "B"), (10**6, "M"), (10**3, "k"))


def tokens(count: int) -> str:
    """A count in at most five characters: 950, 1.2k, 34.5M."""
    for size, unit in _STEPS:
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def money(cost_usd: Decimal) -> str:
    """US dollars: cents from a dollar on, else four digits after the point, or one significant digit of less."""
    if cost_usd == 0:
        return "$0"
    if abs(cost_usd) >= 1:
        return f"${cost_usd:,.2f}"
    if abs(cost_usd) >= Decimal("0.0001"):
        return f"${cost_usd:.4f}"
    return f"${cost_usd:.{-cost_usd.adjusted()}f}"


def spent(cost_usd: Decimal, unpriced_requests: int = 0) -> str:
    """A cost that leaves out requests without a known price: what nobody can price is not free, and the rest is not all."""
    if not unpriced_requests:
        return money(cost_usd)
    return f"{money(cost_usd)} + unpriced" if cost_usd else UNPRICED


def exact(value: Decimal) -> str:
    """All digits, never with an exponent."""
    return f"{value:f}"


def percent(value: Decimal) -> str:
    """A percentage with one digit after the point."""
    return f"{value:.1f}%"


def duration(milliseconds: int | None) -> str:
    """A length of time in its two greatest units: 850 ms, 12.3 s, 3 min 05 s, 2 h 10 min."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def moment(when: datetime | None) -> str:
    """A time as it stands without JavaScript, in UTC; scripts show the viewer's own zone."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if when else NOTHING


def exact_moment(when: datetime) -> str:
    """A time to the second, in UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def second(when: datetime | None) -> str:
    """A time of day to the second, in UTC, as it stands without JavaScript."""
    return when.astimezone(UTC).strftime("%H:%M:%S") if when else NOTHING


def size(number: int) -> str:
    """Bytes, in units of 1,000: 12.3 MB."""
    for least, unit in _SIZES:
        if number >= least:
            return f"{number / least:.1f} {unit}"
    return f"{number} bytes"


def count(number: int) -> str:
    """A count that people read whole: 12,345."""
    return f"{number:,}"


def mean(number: Decimal | None) -> str:
    """A mean of counts with one digit after the point."""
    return NOTHING if number is None else f"{number:.1f}"


def share(fraction: float | Decimal | None) -> str:
    """A fraction as whole percent."""
    return NOTHING if fraction is None else f"{100 * fraction:.0f}%"


def dollars(cost_usd: float) -> str:
    """As `money`, of a figure that is no exact amount: a mean, or the end of an interval."""
    return money(Decimal(str(round(cost_usd, 8))))


def measured(value: float, unit: Literal["share", "count", "dollars", "time"]) -> str:
    """A measure, or an end of its interval, in its unit: a fraction, a mean of counts, US dollars, milliseconds."""
    if unit == "share":
        return f"{100 * value:.0f}%"
    if unit == "count":
        return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
    return dollars(value) if unit == "dollars" else duration(round(value))


def signed(count: int | None) -> str:
    """A change: +3, 0, or less than nothing (features can be lost again)."""
    if count is None:
        return NOTHING
    return f"+{count}" if count > 0 else str(count).replace("-", "\N{MINUS SIGN}")


FILTERS = {
    "tokens": tokens,
    "money": money,
    "spent": spent,
    "exact": exact,
    "percent": percent,
    "duration": duration,
    "moment": moment,
    "exact_moment": exact_moment,
    "second": second,
    "size": size,
    "count": count,
    "mean": mean,
    "share": share,
    "dollars": dollars,
    "measured": measured,
    "signed": signed,
}
