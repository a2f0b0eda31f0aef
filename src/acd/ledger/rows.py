"""What one batch of lines amounts to, in the shape in which it is written. Field names are columns.

A few rows are encoded as JSON and unfolded by PostgreSQL (`json_to_recordset`): set-based, one round trip a table; money
is a decimal string on the way, so that no digit is lost. Many new rows of the ledger and of the timeline are COPYed.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID

import msgspec

from acd.core.events import AgentStarted
from acd.core.facts import DailyStats, Ended, FeaturesSeen, Started
from acd.core.models import Evidence, Target, Usage

NO_SESSION = UUID(int=0)
"""Stands for "no session" where a session id is part of a key (journals of a target)."""


def json_rows(rows: object) -> str:
    """Rows as the parameter of a query that unfolds them."""
    return msgspec.json.encode(rows).decode()


class UsageRow(msgspec.Struct, gc=False):
    """A ledger row: the greatest snapshot of one request seen so far."""

    request_key: str
    model: str
    request_ids: list[str]
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int
    web_searches: int
    cost_usd: Decimal | None
    price_source: str | None
    price_date: date | None
    tools: list[str]
    subagent: str | None
    requested_at: datetime
    is_request: bool = True
    price_terms: str = ""

    @property
    def total(self) -> int:
        """Tokens of the four kinds."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
        )


def usage_columns(usage: Usage) -> tuple[int, int, int, int, int, int, int, int]:
    """The counts of one request: the eight columns of a ledger row after `request_ids`, in their order."""
    return msgspec.structs.astuple(usage)


class EventRow(msgspec.Struct, gc=False):
    """A row of the timeline."""

    seq: int
    kind: str
    occurred_at: datetime | None
    text: str = ""
    tool_name: str | None = None
    tool_use_id: str | None = None
    subagent: str | None = None
    duration_ms: int | None = None
    outcome: str | None = None


class ErrorPlace(TypedDict):
    """The columns of an error that say where and when it was read."""

    id: UUID
    source: str
    source_offset: int
    occurred_at: datetime


class ErrorRow(msgspec.Struct):
    """A row of `harness_errors`."""

    id: UUID
    source: str
    source_offset: int
    error_type: str
    message: str
    occurred_at: datetime
    error_code: str | None = None
    stack_trace: str | None = None
    context: dict[str, Any] = {}
    attempt: int | None = None
    retryable: bool = False
    resolved: bool = False


class ReportRow(msgspec.Struct):
    """A row of `session_reports`; `models` and `own` keep the adapter's form (model → usage and cost)."""

    source: str
    source_offset: int
    final: bool
    models: dict[str, Any]
    own: dict[str, Any] | None
    duration_ms: int | None
    api_duration_ms: int | None
    turns: int | None
    error_type: str | None
    error_message: str | None
    reported_at: datetime | None


class CommitRow(msgspec.Struct):
    """A row of `harness_commits`."""

    sha: str
    message: str
    author: str
    files_changed: int
    additions: int
    deletions: int
    branch: str | None
    committed_at: datetime


class FeatureChangeRow(msgspec.Struct):
    """A row of `feature_changes`."""

    source: str
    source_offset: int
    feature_key: str
    change: str
    status: str
    commit: str | None
    detail: str
    changed_at: datetime
    evidence: Evidence | None = None


class LimitRow(msgspec.Struct):
    """A row of `account_limits`: the newest news wins."""

    agent: str
    limit_window: str
    status: str
    utilization: float | None
    resets_at: datetime | None
    seen_at: datetime


class LeftOutRow(msgspec.Struct):
    """A line that could not become rows."""

    name: str
    line_offset: int
    length: int
    reason: str


class FileRow(msgspec.Struct):
    """How far a file has been read, and what it looked like; `from_offset` is what it was before this batch."""

    name: str
    inode: int
    size: int
    head_sha256: str
    head_length: int
    from_offset: int
    read_offset: int
    lines_read: int
    lines_left_out: int


class Batch(msgspec.Struct):
    """Everything that a number of lines of one session's files (or of a target's journal) amounts to."""

    target: Target | None = None
    started: Started | None = None
    agent: AgentStarted | None = None
    ended: Ended | None = None
    usage: dict[str, UsageRow] = {}
    events: list[EventRow] = []
    errors: list[ErrorRow] = []
    reports: list[ReportRow] = []
    commits: list[CommitRow] = []
    features: list[FeaturesSeen] = []
    feature_changes: list[FeatureChangeRow] = []
    daily: list[DailyStats] = []
    limits: list[LimitRow] = []
    left_out: list[LeftOutRow] = []
    files: list[FileRow] = []
    last_at: datetime | None = None
