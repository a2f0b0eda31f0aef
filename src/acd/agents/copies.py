"""Copies of requests: what a fork's file repeats of its parent's."""

from __future__ import annotations

from datetime import datetime, timedelta


def as_copy(at: datetime | None) -> datetime | None:
    """A copied line's time: a microsecond later than the line's own.

    A request belongs to the session with the earliest line of it. Copies keep the time to the millisecond; so the
    original comes first, and where it is gone the copy tells the day as well.
    """
    return at + timedelta(microseconds=1) if at is not None else None
