"""What the API says of one session, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from acd.core.contract import FeatureEvidence, Moment, Row, SessionRow


class SessionModel(Row, frozen=True):
    """What one model used in one session; `cost_usd` is None where no request of it has a known price."""

    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_5m_tokens: int = msgspec.field(name="cacheWrite5mTokens")
    cache_write_1h_tokens: int = msgspec.field(name="cacheWrite1hTokens")
    reasoning_tokens: int
    web_searches: int
    cost_usd: Decimal | None
    unpriced_requests: int


class SessionError(Row, frozen=True):
    """An error within its session."""

    id: UUID
    error_type: str
    error_code: str | None
    message: str
    stack_trace: str | None
    context: dict[str, object]
    attempt: int | None
    retryable: bool
    resolved: bool
    resolved_at: Moment | None
    occurred_at: Moment


class SessionCommit(Row, frozen=True):
    """A commit within its session."""

    sha: str
    message: str
    author: str
    files_changed: int
    additions: int
    deletions: int
    branch: str | None
    committed_at: Moment


class SessionFeature(Row, frozen=True):
    """A change of a feature within its session."""

    feature_key: str
    change: str
    status: str
    commit: str | None
    detail: str
    evidence: FeatureEvidence | None
    changed_at: Moment


class WholeSession(SessionRow, frozen=True):
    """A session with all that belongs to it (`GET /api/db/sessions/{id}`)."""

    requests_by_model: list[SessionModel]
    errors: list[SessionError]
    commits: list[SessionCommit]
    feature_changes: list[SessionFeature]


class TimelineRow(Row, frozen=True):
    """One event of a session; `seq` orders them, the time is what the agent said."""

    seq: int
    kind: str
    occurred_at: Moment | None
    tool_name: str | None
    tool_use_id: str | None
    subagent: str | None
    duration_ms: int | None
    outcome: str | None
    text: str


class LogLine(msgspec.Struct, frozen=True):
    """A line that an agent printed: secrets redacted, control characters escaped, a long one cut.

    `offset` is where it begins in the session's file and `length` how long it is there, in bytes.
    """

    offset: int
    length: int
    text: str


class SessionId(Row, frozen=True):
    """The session that a name means (`GET /api/glance/session`)."""

    id: UUID
