"""Answers kept until something is written.

PostgreSQL tells the moment of a question exactly (`schema.moment`): which transactions a statement that begins now sees.
Two questions of one moment have one answer, and every commit makes another moment. So what is kept is never older than
the question, which a time limit could not promise; that nothing has changed costs one small query.
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


class _Known(NamedTuple, Generic[Answer]):
    moment: bytes
    answer: Answer
    size: int


class Kept(Generic[Answer]):
    """The last answers by question, each with its moment; up to 8 MB of them, those not asked for longest go first."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._known: OrderedDict[Hashable, _Known[Answer]] = OrderedDict()
        self._size = 0

    def find(self, question: Hashable, moment: bytes) -> _Known[Answer] | None:
        """What was kept of this moment."""
        known = self._known.get(question)
        if known is None or known.moment != moment:
            return None
        self._known.move_to_end(question)
        return known

    def keep(self, question: Hashable, moment: bytes, answer: Answer, size: int) -> None:
        """Keep an answer that was read at that moment or later, of about `size` bytes; large ones are not kept."""
        self._drop(question)
        weight = size + _OVERHEAD_BYTES
        if weight > min(_LARGEST_BYTES, self._most):
            return
        self._known[question] = _Known(moment, answer, weight)
        self._size += weight
        while self._size > self._most:
            self._drop(next(iter(self._known)))

    def _drop(self, question: Hashable) -> None:
        known = self._known.pop(question, None)
        if known is not None:
            self._size -= known.size
