"""How often somebody is told of the same kind of thing. Pure."""

from __future__ import annotations

from acd.core.notices import NoticeKind
from acd.notify.wire import Notice


class Throttle:
    """At most one notice of a kind about a subject in `every_s` seconds; those held back are counted."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last: dict[tuple[NoticeKind, str], float] = {}
        self._held: dict[tuple[NoticeKind, str], int] = {}

    def admit(self, notice: Notice, now: float) -> int | None:
        """How many like it were held back since the last one that was let through; None: hold this one back, too.

        `now` is on any clock that never goes back, in seconds.
        """
        key = notice.kind, notice.subject
        last = self._last.get(key)
        if last is not None and now - last < self._every_s:
            self._held[key] = self._held.get(key, 0) + 1
            return None
        self._last[key] = now
        return self._held.pop(key, 0)

    @property
    def held(self) -> int:
        """How many were held back and not yet told of."""
        return sum(self._held.values())
