"""What passes between us and the process that calls Apprise: one request, then a line for each answer."""

from __future__ import annotations

from typing import Literal

import msgspec

from acd.core.notices import NoticeKind

Tone = Literal["info", "success", "warning", "failure"]
"""Apprise's own types of notification; services show them as colours or pictures."""

THE_URL = -1


class Notice(msgspec.Struct, frozen=True):
    """Something to tell. `subject` is what it is about for the rate limit; empty: the whole queue."""

    kind: NoticeKind
    subject: str
    title: str
    body: str
    tone: Tone = "info"


class Request(msgspec.Struct, frozen=True):
    """Notices for one URL, to be sent in this order. None: only look whether Apprise understands the URL."""

    url: str
    notices: list[Notice] = []


class Answer(msgspec.Struct, frozen=True):
    """What became of a notice, by its place in the request; `THE_URL`: of the URL itself. `reason` None: it is well."""

    index: int
    reason: str | None = None
