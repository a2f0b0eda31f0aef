"""What the API says, as types: rows of the JSON that `acd.reports` reads from PostgreSQL.

The JSON itself is made by the named queries in `acd/database/sql` and passed through untouched; these types
read it back for the pages, the command line and the client, so that all of them show the same figures. Keys are
camelCase. Money is exact: a JSON number becomes the `Decimal` of the same digits. Keys that a reader does not know
are ignored.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone."""


class Row(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What rows of the API have in common: keys in camelCase."""


class TargetName(Row, frozen=True):
    """Which target a row belongs to."""

    name: str
    repo_id: str


class SessionBrief(Row, frozen=True):
    """The fields that the mission lists for a session."""

    id: UUID
    target_id: UUID
    session_number: int | None
    session_type: str
    model: str
    status: str
    started_at: Moment
    finished_at: Moment | None
    duration_ms: int | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal
    features_before: int | None
    features_after: int | None
    features_completed: int | None
    commits_made: int
    error_type: str | None
    error_message: str | None


class SessionRow(SessionBrief, frozen=True):
    """A session: its brief and everything else that is recorded of it (`GET /api/db/sessions`).

    `billing`: how its account is billed, api or subscription, whose cost is what it would be at list price; None where
    nobody told.
    """

    origin: str
    agent: str
    agent_session_id: str
    agent_version: str | None
    model_used: str | None
    api_duration_ms: int | None
    total_tokens: int
    reported_cost_usd: Decimal | None
    cost_gap_usd: Decimal | None
    unpriced_requests: int
    request_count: int
    turn_count: int | None
    retry_count: int
    model_fallbacks: int
    cache_hit_rate: float | None
    exit_code: int | None
    host: str | None
    branch: str | None
    head_before: str | None
    head_after: str | None
    prompt_sha256: str | None
    last_event_at: Moment | None
    updated_at: Moment
    target: TargetName
    billing: str | None


class TargetRow(Row, frozen=True):
    """A target with what was spent on it and its last sessions (`GET /api/db/targets`).

    `total_cost_usd` leaves out the unpriced requests; a server of before does not tell of them.
    """

    id: UUID
    repo_id: str
    name: str
    path: str
    priority: int
    complexity: str
    enabled: bool
    focus: str | None
    prompt: str | None
    prd: str | None
    feature_list: str | None
    until_complete: bool
    serial_group: str | None
    agent: str
    max_sessions: int
    session_delay_s: float
    tags: list[str]
    verify_command: str | None
    total_features: int
    passing_features: int
    pending_features: int
    verified_features: int
    percent_complete: Decimal
    features_at: Moment | None
    status: str
    status_reason: str | None
    last_session_at: Moment | None
    last_model: str | None
    created_at: Moment
    updated_at: Moment
    total_sessions: int
    total_tokens: int
    total_cost_usd: Decimal
    sessions: list[SessionBrief]
    unpriced_requests: int = 0


class Summary(Row, frozen=True):
    """All targets and sessions together (`GET /api/db/targets/summary`)."""

    total_targets: int
    enabled_targets: int
    complete_targets: int
    total_features: int
    passing_features: int
    pending_features: int
    verified_features: int
    overall_percent: Decimal
    total_sessions: int
    running_sessions: int
    total_tokens: int
    total_cost_usd: Decimal
    unpriced_requests: int


class ModelSpending(Row, frozen=True):
    """What one model used in a period; `cost` leaves out the unpriced requests."""

    tokens: int
    cost: Decimal
    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int


class DaySpending(ModelSpending, frozen=True):
    """What all models used on one day of the database's time zone."""

    date: date


class ModelUsage(Row, frozen=True):
    """Usage of a period by model and by day, days newest first (`GET /api/db/model-usage`)."""

    period_days: int
    total_tokens: int
    total_cost: Decimal
    total_requests: int
    unpriced_requests: int
    by_model: dict[str, ModelSpending]
    by_day: list[DaySpending]


class RequestRow(Row, frozen=True):
    """A row of the ledger; `cost_usd` is None where the price is unknown (`GET /api/db/token-usage`).

    `listed_at` is the row's place in the list: `requested_at` as it was first recorded.
    """

    request_key: str
    target_id: UUID
    session_id: UUID
    model: str
    request_ids: list[str]
    is_request: bool
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_5m_tokens: int = msgspec.field(name="cacheWrite5mTokens")
    cache_write_1h_tokens: int = msgspec.field(name="cacheWrite1hTokens")
    reasoning_tokens: int
    web_searches: int
    cost_usd: Decimal | None
    price_source: str | None
    price_date: date | None
    tool_name: str | None
    tools: list[str]
    subagent: str | None
    requested_at: Moment
    listed_at: Moment
    target: TargetName


class SnapshotRow(Row, frozen=True):
    """A target's day (`GET /api/db/snapshots`)."""

    target_id: UUID
    snapshot_date: date
    total_features: int
    passing_features: int
    verified_features: int
    percent_complete: Decimal
    features_at: Moment | None
    sessions_today: int
    tokens_today: int
    cost_today: Decimal
    target: TargetName


class ErrorRow(Row, frozen=True):
    """An error of an agent or of the harness (`GET /api/db/errors`)."""

    id: UUID
    target_id: UUID
    session_id: UUID | None
    session_number: int | None
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
    target: TargetName


class FeatureEvidence(Row, frozen=True):
    """What the harness saw when it ran a feature's check on a commit, in a clean checkout.

    `exit_status` is negative for a signal and null where the command came to no end, for which `reason` says why.
    """

    command: str
    commit: str | None
    exit_status: int | None
    output_tail: str
    duration_ms: int
    reason: str


class FeatureRow(Row, frozen=True):
    """An entry of a feature list; passing but not `verified` is the agent's word alone (`GET /api/db/features/…`)."""

    target_id: UUID
    feature_key: str
    name: str
    description: str
    category: str | None
    priority: int | None
    steps: list[str]
    status: str
    passes: bool
    verified: bool
    verified_at: Moment | None
    evidence: FeatureEvidence | None
    implemented_at: Moment | None
    session_id: UUID | None
    position: int
    first_seen_at: Moment
    removed_at: Moment | None
    content_sha256: str


class CommitRow(Row, frozen=True):
    """A commit made in a session (`GET /api/db/commits/…`)."""

    sha: str
    target_id: UUID
    session_id: UUID | None
    session_number: int | None
    message: str
    author: str
    files_changed: int
    additions: int
    deletions: int
    branch: str | None
    committed_at: Moment


class RunningSession(Row, frozen=True):
    """A session that runs now, as a live view shows it."""

    id: UUID
    session_number: int | None
    session_type: str
    agent: str
    model: str
    model_used: str | None
    host: str | None
    started_at: Moment
    last_event_at: Moment | None
    request_count: int
    total_tokens: int
    cost_usd: Decimal
    unpriced_requests: int
    last_tool: str | None
    passing_features: int
    total_features: int
    features_before: int | None
    target: TargetName


class Synced(msgspec.Struct, frozen=True):
    """How many features a list holds that was read into the database."""

    synced: int


class HealthOfDatabase(Row, frozen=True):
    """Whether PostgreSQL answers."""

    status: str
    server_version: str | msgspec.UnsetType = msgspec.UNSET


class HealthOfLedger(Row, frozen=True):
    """Sessions that wait to be recorded (None: this server does not record), lines that could not be read."""

    pending: int | None
    left_out_lines: int | msgspec.UnsetType = msgspec.UNSET


class Health(Row, frozen=True):
    """Is everything well (`GET /api/health`)?"""

    status: str
    database: HealthOfDatabase
    ledger: HealthOfLedger
    version: str
