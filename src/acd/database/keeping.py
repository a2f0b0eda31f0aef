"""Answers kept until something is written.

PostgreSQL tells the moment of a question exactly (`schema.moment`): which transactions a statement that begins now sees.
Two questions of one moment have one answer, and every commit makes another moment. So what is kept is never older than
the question, which a time limit could not promise; that nothing has changed costs one small query.

Who asks for no more than what was true a moment ago (a chart on a page, while a session is recorded) may be given what was
read then: `lately`. Everybody else never is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

Answer = TypeVar("Answer")

_MOST_BYTES = 8 * 1024 * 1024
_LARGEST_BYTES = 1024 * 1024
# A row of the table costs this much beside its answer.
_OVERHEAD_BYTES = 1024


NEVER = float("-inf")


class _Known(NamedTuple, Generic[Answer]):
    """`true_at`: the latest time of the event loop of which is known that the answer was the right one."""

    moment: bytes
    answer: Answer
    size: int
    true_at: float


class Kept(Generic[Answer]):
    """The last answers by question, each with its moment; up to 8 MB of them, those not asked for longest go first."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._known: OrderedDict[Hashable, _Known[Answer]] = OrderedDict()
        self._size = 0
        self._earliest = NEVER

    def find(self, question: Hashable, moment: bytes, now: float = NEVER) -> _Known[Answer] | None:
        """What was kept of this moment, which was the database's at `now` (time of the event loop) or later."""
        known = self._known.get(question)
        if known is None or known.moment != moment:
            return None
        if now > known.true_at:
            known = self._known[question] = known._replace(true_at=now)
        self._known.move_to_end(question)
        return known

    def lately(self, question: Hashable, since: float) -> _Known[Answer] | None:
        """What was true at a time from `since` on, and after the last `read_anew`, whatever was written meanwhile."""
        known = self._known.get(question)
        return known if known and known.true_at >= max(since, self._earliest) else None

    def read_anew(self, now: float) -> None:
        """What was true before `now` is nobody's answer any more but of the moment itself."""
        self._earliest = now

    def keep(
        self, question: Hashable, moment: bytes, answer: Answer, size: int, now: float = NEVER
    ) -> None:
        """Keep an answer of about `size` bytes, read at that moment or later and after `now`; large ones are not kept."""
        self._drop(question)
        weight = size + _OVERHEAD_BYTES
        if weight > min(_LARGEST_BYTES, self._most):
            return
        self._known[question] = _Known(moment, answer, weight, now)
        self._size += weight
        while self._size > self._most:
            self._drop(next(iter(self._known)))

    def _drop(self, question: Hashable) -> None:
        known = self._known.pop(question, None)
        if known is not None:
            self._size -= known.size
