"""The kinds of events that somebody may be notified of."""

from __future__ import annotations

from typing import Literal, get_args

NoticeKind = Literal["finished", "blocked", "budget", "limit", "failure"]
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)


def notice_kinds(text: str) -> frozenset[NoticeKind]:
    """The kinds in a comma-separated list.

    Raises:
        ValueError: naming the words that are none.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if wrong := [word for word in words if word not in NOTICE_KINDS]:
        raise ValueError(
            f"no kind of event: {', '.join(wrong)}; there are {', '.join(NOTICE_KINDS)}"
        )
    return frozenset(kind for kind in NOTICE_KINDS if kind in words)
