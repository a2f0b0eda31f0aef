"""What a page was asked for: filters out of its address. A field left empty in a form counts as not given."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from fastapi import HTTPException
from starlette.datastructures import QueryParams

_LONGEST = 1024
_MOST = 2**62


def word(asked: QueryParams, name: str) -> str | None:
    """Any text.

    Raises:
        HTTPException: 422, it is too long, or holds what no row can.
    """
    value = asked.get(name, "").strip()
    if len(value) > _LONGEST or "\0" in value:
        raise _refused(f"{name}: too long, or not text.")
    return value or None


def one_of(asked: QueryParams, name: str, known: Collection[str]) -> str | None:
    """One of the known words.

    Raises:
        HTTPException: 422, it is another.
    """
    value = word(asked, name)
    if value is not None and value not in known:
        raise _refused(f"{name}: {value!r} is none of {', '.join(known)}.")
    return value


def number(
    asked: QueryParams, name: str, *, least: int = 0, most: int = _MOST, otherwise: int
) -> int:
    """A whole number.

    Raises:
        HTTPException: 422, it is none, or beyond its bounds.
    """
    value = word(asked, name)
    if value is None:
        return otherwise
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        raise _refused(f"{name}: {value!r} is no whole number.")
    if not least <= int(value) <= most:
        raise _refused(f"{name}: must be from {least} to {most}.")
    return int(value)


def day(asked: QueryParams, name: str) -> date | None:
    """A day, like 2026-11-24.

    Raises:
        HTTPException: 422, it is none.
    """
    value = word(asked, name)
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise _refused(f"{name}: {value!r} is no day; write it like 2026-11-24.") from error


def begin_of(given: date | None) -> datetime | None:
    """The beginning of a day in the database's time zone: a time without a zone."""
    return None if given is None else datetime.combine(given, time())


def end_of(given: date | None) -> datetime | None:
    """The end of a day, as `begin_of`; the last day that there is has none."""
    if given is None or given == date.max:
        return None
    return datetime.combine(given + timedelta(days=1), time())


def _refused(message: str) -> HTTPException:
    return HTTPException(422, message)
