"""Answers kept until something is written.

PostgreSQL tells the moment of a question exactly (`schema.moment`): which transactions a statement that begins now sees.
Two questions of one moment have one answer, and every commit makes another moment. So what is kept is never older than
the question, which a time limit could not promise; that nothing has changed costs one small query.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

_MOST_BYTES = 8 * 1024 * 1024
_LARGEST_BYTES = 1024 * 1024
# A row of the table costs this much beside its answer.
_OVERHEAD_BYTES = 1024


class Kept:
    """The last answers by question, each with its moment; up to 8 MB of them, those not asked for longest go first."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._answers: OrderedDict[Hashable, tuple[bytes, bytes | None]] = OrderedDict()
        self._size = 0

    def find(self, question: Hashable, moment: bytes) -> tuple[bool, bytes | None]:
        """Whether the answer of this moment is known, and the answer."""
        known = self._answers.get(question)
        if known is None or known[0] != moment:
            return False, None
        self._answers.move_to_end(question)
        return True, known[1]

    def keep(self, question: Hashable, moment: bytes, answer: bytes | None) -> None:
        """Keep an answer that was read at that moment or later; large ones are not kept."""
        self._drop(question)
        if _weight(answer) > min(_LARGEST_BYTES, self._most):
            return
        self._answers[question] = (moment, answer)
        self._size += _weight(answer)
        while self._size > self._most:
            self._drop(next(iter(self._answers)))

    def _drop(self, question: Hashable) -> None:
        known = self._answers.pop(question, None)
        if known is not None:
            self._size -= _weight(known[1])


def _weight(answer: bytes | None) -> int:
    return len(answer or b"") + _OVERHEAD_BYTES
