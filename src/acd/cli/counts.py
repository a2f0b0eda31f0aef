"""Counts in sentences; loads nothing."""

from __future__ import annotations


def count_of(count: int, one: str, many: str | None = None) -> str:
    """`1 session`, `3 sessions`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def nothing_new(files: int, seconds: float | None) -> str:
    """What an import says that found nothing new; `seconds`: how long it took."""
    took = "" if seconds is None else f" in {seconds:.1f} s"
    return f"Nothing new in {count_of(files, 'file')}{took}."
