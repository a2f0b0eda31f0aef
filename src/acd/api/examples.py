"""Examples of the documentation, made of the types that answers are made of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from acd.core.contract import (
    CommitRow,
    DaySpending,
    ErrorRow,
    FeatureEvidence,
    FeatureRow,
    ModelSpending,
    ModelUsage,
    RequestRow,
    RunningSession,
    SessionBrief,
    SessionRow,
    SnapshotRow,
    Summary,
    TargetName,
    TargetRow,
)
from acd.core.one_session import (
    LogLine,
    SessionCommit,
    SessionError,
    SessionFeature,
    SessionModel,
    TimelineRow,
    WholeSession,
)

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 8, 6, 40, tzinfo=UTC)
DAY = date(2026, 11, 24)
TARGET_ID = UUID("5b0d2c66-1c0a-5f0e-9d0c-2b8f4a7c1e11")
SESSION_ID = UUID("0192f0c4-6d1e-4c59-9f6e-0d4a1a3b5c7d")
TARGET = TargetName(name="Shop API", repo_id="shop-api")
MODEL = "claude-opus-4-8"
SHA = "3f1c9a0de54b7c2a81d6f09b7e2c4d5a6b8f9e01"
EVIDENCE = FeatureEvidence(
    command="pytest -q",
    commit=SHA,
    exit_status=0,
    output_tail="8 passed in 0.42s",
    duration_ms=1900,
    reason="",
)

SESSION_BRIEF = SessionBrief(
    id=SESSION_ID,
    target_id=TARGET_ID,
    session_number=12,
    session_type="coding",
    model="opus",
    status="completed",
    started_at=AT,
    finished_at=LATER,
    duration_ms=400000,
    input_tokens=812,
    output_tokens=5120,
    cache_read_tokens=480000,
    cache_write_tokens=21000,
    cost_usd=Decimal("0.50331"),
    features_before=7,
    features_after=8,
    features_completed=1,
    commits_made=2,
    error_type=None,
    error_message=None,
)

SESSION = SessionRow(
    **msgspec.structs.asdict(SESSION_BRIEF),
    origin="harness",
    agent="claude-code",
    agent_session_id=str(SESSION_ID),
    agent_version="2.0.30",
    model_used=MODEL,
    api_duration_ms=290000,
    total_tokens=506932,
    reported_cost_usd=Decimal("0.50331"),
    cost_gap_usd=Decimal("0.00000"),
    unpriced_requests=0,
    request_count=31,
    turn_count=30,
    retry_count=1,
    model_fallbacks=0,
    cache_hit_rate=0.9565,
    exit_code=0,
    host="builder",
    branch="main",
    head_before="9d1e2f3a4b5c6d7e8f90a1b2c3d4e5f60718293a",
    head_after=SHA,
    prompt_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    billing="api",
    last_event_at=LATER,
    updated_at=LATER,
    target=TARGET,
)

WHOLE_SESSION = WholeSession(
    **msgspec.structs.asdict(SESSION),
    requests_by_model=[
        SessionModel(
            model=MODEL,
            requests=31,
            input_tokens=812,
            output_tokens=5120,
            cache_read_tokens=480000,
            cache_write_tokens=21000,
            cache_write_5m_tokens=21000,
            cache_write_1h_tokens=0,
            reasoning_tokens=900,
            web_searches=0,
            cost_usd=Decimal("0.50331"),
            unpriced_requests=0,
        )
    ],
    errors=[
        SessionError(
            id=UUID("7c9e6679-7425-50de-944b-e07fc1f90ae7"),
            error_type="overloaded",
            error_code="529",
            message="Overloaded",
            stack_trace=None,
            context={"origin": "retry", "delay_ms": 500},
            attempt=1,
            retryable=True,
            resolved=True,
            resolved_at=AT,
            occurred_at=AT,
        )
    ],
    commits=[
        SessionCommit(
            sha=SHA,
            message="Add payments",
            author="Claude",
            files_changed=3,
            additions=120,
            deletions=4,
            branch="main",
            committed_at=LATER,
        )
    ],
    feature_changes=[
        SessionFeature(
            feature_key="pay",
            change="passing",
            status="passing",
            commit=SHA,
            detail="`pytest -q` succeeded",
            evidence=EVIDENCE,
            changed_at=LATER,
        )
    ],
)

TIMELINE = TimelineRow(
    seq=4096,
    kind="tool_ended",
    occurred_at=AT,
    tool_name="Bash",
    tool_use_id="toolu_01A",
    subagent=None,
    duration_ms=1800,
    outcome="ok",
    text="pytest -q",
)

LINE = LogLine(offset=0, length=52, text='{"type":"system","subtype":"init","cwd":"/repos/shop"}')

TARGET_ROW = TargetRow(
    id=TARGET_ID,
    repo_id="shop-api",
    name="Shop API",
    path="/repos/shop-api",
    priority=1,
    complexity="high",
    enabled=True,
    focus="payments",
    prompt=None,
    prd=None,
    feature_list=None,
    until_complete=True,
    serial_group=None,
    agent="claude-code",
    max_sessions=50,
    session_delay_s=0.0,
    tags=["api"],
    verify_command="pytest -q",
    total_features=20,
    passing_features=8,
    pending_features=12,
    verified_features=8,
    percent_complete=Decimal("40.00"),
    features_at=LATER,
    status="active",
    status_reason=None,
    last_session_at=AT,
    last_model="opus",
    created_at=AT,
    updated_at=LATER,
    total_sessions=12,
    total_tokens=5200000,
    total_cost_usd=Decimal("6.2031"),
    sessions=[SESSION_BRIEF],
    unpriced_requests=0,
)

SUMMARY = Summary(
    total_targets=3,
    enabled_targets=2,
    complete_targets=1,
    total_features=60,
    passing_features=28,
    pending_features=32,
    verified_features=20,
    overall_percent=Decimal("46.67"),
    total_sessions=31,
    running_sessions=1,
    total_tokens=14200000,
    total_cost_usd=Decimal("17.90331"),
    unpriced_requests=0,
)

_SPENDING = ModelSpending(
    tokens=506932,
    cost=Decimal("0.50331"),
    requests=31,
    unpriced_requests=0,
    input_tokens=812,
    output_tokens=5120,
    cache_read_tokens=480000,
    cache_write_tokens=21000,
)

MODEL_USAGE = ModelUsage(
    period_days=7,
    total_tokens=506932,
    total_cost=Decimal("0.50331"),
    total_requests=31,
    unpriced_requests=0,
    by_model={MODEL: _SPENDING},
    by_day=[DaySpending(date=DAY, **msgspec.structs.asdict(_SPENDING))],
)

REQUEST = RequestRow(
    request_key="claude-code:msg_01XFDUDYJgAACzvnptvVoYEL",
    target_id=TARGET_ID,
    session_id=SESSION_ID,
    model=MODEL,
    request_ids=["req_011CSHoEeqs5C35K2UUqR7Fy"],
    is_request=True,
    input_tokens=6,
    output_tokens=412,
    cache_read_tokens=18000,
    cache_write_tokens=900,
    cache_write_5m_tokens=900,
    cache_write_1h_tokens=0,
    reasoning_tokens=0,
    web_searches=0,
    cost_usd=Decimal("0.024955"),
    price_source="genai-prices",
    price_date=DAY,
    tool_name="Bash",
    tools=["Bash"],
    subagent=None,
    requested_at=AT,
    listed_at=AT,
    target=TARGET,
)

SNAPSHOT = SnapshotRow(
    target_id=TARGET_ID,
    snapshot_date=DAY,
    total_features=20,
    passing_features=8,
    verified_features=8,
    percent_complete=Decimal("40.00"),
    features_at=LATER,
    sessions_today=3,
    tokens_today=1520000,
    cost_today=Decimal("1.51"),
    target=TARGET,
)

ERROR = ErrorRow(
    id=UUID("7c9e6679-7425-50de-944b-e07fc1f90ae7"),
    target_id=TARGET_ID,
    session_id=SESSION_ID,
    session_number=12,
    error_type="usage_limit",
    error_code="429",
    message="You have reached your limit",
    stack_trace=None,
    context={},
    attempt=None,
    retryable=True,
    resolved=False,
    resolved_at=None,
    occurred_at=AT,
    target=TARGET,
)

FEATURE = FeatureRow(
    target_id=TARGET_ID,
    feature_key="pay",
    name="Payments",
    description="A customer can pay by card",
    category="api",
    priority=1,
    steps=["POST /payments", "expect 201"],
    status="passing",
    passes=True,
    verified=True,
    verified_at=LATER,
    evidence=EVIDENCE,
    implemented_at=LATER,
    session_id=SESSION_ID,
    position=0,
    first_seen_at=AT,
    removed_at=None,
    content_sha256="4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce",
)

COMMIT = CommitRow(
    sha=SHA,
    target_id=TARGET_ID,
    session_id=SESSION_ID,
    session_number=12,
    message="Add payments",
    author="Claude",
    files_changed=3,
    additions=120,
    deletions=4,
    branch="main",
    committed_at=LATER,
)

RUNNING = RunningSession(
    id=SESSION_ID,
    session_number=12,
    session_type="coding",
    agent="claude-code",
    model="opus",
    model_used=MODEL,
    host="builder",
    started_at=AT,
    last_event_at=LATER,
    request_count=31,
    total_tokens=506932,
    cost_usd=Decimal("0.50331"),
    unpriced_requests=0,
    last_tool="Bash",
    passing_features=8,
    total_features=20,
    features_before=7,
    target=TARGET,
)
