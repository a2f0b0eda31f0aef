"""Query parameters that several routes share, with their bounds; a value outside is answered with 422."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from acd.core.text import WITHOUT_NUL

MOST = 1000
_LONGEST = 1024
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WHEN = re.compile(
    r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII
)


def written_as_day(value: Any) -> Any:  # noqa: ANN401 - what pydantic hands over
    """Only a day as ISO 8601 writes it: pydantic would also take a number of seconds.

    Raises:
        ValueError: it is written in another way.
    """
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("a day must be written like 2026-11-24")
    return value


def _written_as_time(value: Any) -> Any:  # noqa: ANN401 - what pydantic hands over
    """Only ISO 8601 as we document it: pydantic would also take a number of seconds, or of milliseconds."""
    if isinstance(value, str) and not _WHEN.fullmatch(value):
        raise ValueError("a time must be written like 2026-11-24T08:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    """PostgreSQL takes no zone beyond 15:59 hours from UTC, RFC 3339 does; a time without a zone stays without."""
    if value.tzinfo is None:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:  # in the first or last day that there is
        return value.replace(tzinfo=UTC)


When = Annotated[
    datetime,
    BeforeValidator(_written_as_time),
    AfterValidator(_in_utc),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
            ],
            "examples": ["2026-11-24T08:00:00Z"],
        }
    ),
]
YesNo = Literal["true", "false"]

Limit50 = Annotated[int, Query(alias="limit", ge=1, le=MOST, description="Most rows to give.")]
Limit100 = Annotated[int, Query(alias="limit", ge=1, le=MOST, description="Most rows to give.")]
Days = Annotated[int, Query(ge=1, le=3660, description="Days back, today included.")]
RepoId = Annotated[
    str | None,
    Query(
        alias="repoId",
        max_length=_LONGEST,
        pattern=WITHOUT_NUL,
        description="Only this target.",
        examples=["shop-api"],
    ),
]
Words = Annotated[
    str | None,
    Query(max_length=_LONGEST, pattern=WITHOUT_NUL, description="Part of name, id or path."),
]
Model = Annotated[
    str | None,
    Query(max_length=_LONGEST, pattern=WITHOUT_NUL, description="Only this model."),
]
Agent = Annotated[
    str | None,
    Query(
        max_length=_LONGEST,
        pattern=WITHOUT_NUL,
        description="Only this agent.",
        examples=["claude-code"],
    ),
]
SessionWords = Annotated[
    str | None,
    Query(
        max_length=_LONGEST,
        pattern=WITHOUT_NUL,
        description="Part of the target's name or id, the error's message, branch or machine; beginning of the id.",
    ),
]
GroupKey = Annotated[
    str | None,
    Query(pattern="^[0-9a-f]{32}$", description="Only errors of this group (`key`)."),
]
PathGroupKey = Annotated[
    str, Path(alias="key", pattern="^[0-9a-f]{32}$", description="The group's `key`.")
]
SessionId = Annotated[UUID | None, Query(alias="sessionId", description="Only this session.")]
Since = Annotated[
    When | None, Query(description="Started then or later; without a zone: the database's.")
]
Until = Annotated[
    When | None, Query(description="Started before then; without a zone: the database's.")
]
ThisRepoId = Annotated[
    str,
    Query(
        alias="repoId",
        min_length=1,
        max_length=_LONGEST,
        pattern=WITHOUT_NUL,
        description="Of this target.",
        examples=["shop-api"],
    ),
]
PathRepoId = Annotated[
    str,
    Path(
        alias="repoId",
        min_length=1,
        max_length=_LONGEST,
        pattern=WITHOUT_NUL,
        description="The target's id in the queue file; it may hold slashes.",
        examples=["shop-api"],
    ),
]
PathSessionId = Annotated[UUID, Path(alias="id", description="The session's id.")]
