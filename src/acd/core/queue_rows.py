"""What the API says of the queue, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from acd.core.contract import Moment, RunningSession, TargetName


class Limit(msgspec.Struct, frozen=True, rename="camel"):
    """What is known of a limit of an agent's account; `holding` while it keeps work waiting.

    `account`: the login in words with a fingerprint (`API key 1a2b3c4d`); empty where it is not known.
    """

    agent: str
    window: str
    status: Literal["allowed", "warning", "rejected"]
    utilization: float | None
    resets_at: Moment | None
    seen_at: Moment
    holding: bool
    account: str = ""


class QueueEntry(msgspec.Struct, frozen=True, rename="camel"):
    """Where a target stands in the queue, and why.

    `due`: its next turn may begin now and waits for a free worker; `waiting`: not before `until`; `idle`: nothing is
    planned for it, because no run or worker has begun on it.
    """

    target: TargetName
    priority: int
    state: Literal["running", "due", "waiting", "blocked", "complete", "paused", "idle"]
    reason: str
    until: Moment | None
    sessions_used: int
    max_sessions: int
    failures_in_a_row: int
    session_id: UUID | None


class Budgets(msgspec.Struct, frozen=True, rename="camel"):
    """What this server's settings allow."""

    concurrency: int
    session_timeout_s: float
    session_budget_usd: float | None
    max_turns: int | None
    max_failures: int


class Queue(msgspec.Struct, frozen=True, rename="camel"):
    """What runs, what waits and why (`GET /api/queue`). `state` is what the queue was told last."""

    state: Literal["running", "paused", "draining", "stopping"]
    running: list[RunningSession]
    targets: list[QueueEntry]
    limits: list[Limit]
    budgets: Budgets


class EarlierSummary(msgspec.Struct, frozen=True, rename="camel"):
    """All targets together; the percentage is a string."""

    total_targets: int
    enabled_targets: int
    total_features: int
    total_passing: int
    total_pending: int
    overall_complete: str


class EarlierScheduler(msgspec.Struct, frozen=True, rename="camel"):
    """The circuit breaker is open while a limit of an account holds work back."""

    queue_length: int
    running_tasks: int
    circuit_breaker_open: bool


class EarlierHarness(msgspec.Struct, frozen=True, rename="camel"):
    """A session that runs."""

    repo_id: str
    session_id: UUID
    session_number: int | None
    model: str
    started_at: Moment
    host: str | None


class EarlierFeatures(msgspec.Struct, frozen=True, rename="camel"):
    """A target's progress; the percentage is a string."""

    total: int
    passing: int
    pending: int
    percent_complete: str


class EarlierTarget(msgspec.Struct, frozen=True, rename="camel"):
    """A target, known by its id in the queue file."""

    id: str
    name: str
    path: str
    priority: int
    enabled: bool
    focus: str | None
    features: EarlierFeatures


class EarlierStatus(msgspec.Struct, frozen=True, rename="camel"):
    """The queue as clients of the earlier system expect it (`GET /api/targets/status`)."""

    timestamp: Moment
    summary: EarlierSummary
    scheduler: EarlierScheduler
    active_harnesses: list[EarlierHarness]
    targets: list[EarlierTarget]


class SyncSummary(msgspec.Struct, frozen=True, rename="camel"):
    """What a sync found and did. `total`, `enabled` and `complete` count the whole table afterwards."""

    total: int
    enabled: int
    complete: int
    in_file: int
    added: int
    changed: int
    disabled: int
    skipped: int
    feature_lists: int


class SyncDone(msgspec.Struct, frozen=True):
    """A sync as the API tells it (`POST /api/db/targets/sync`)."""

    synced: bool
    summary: SyncSummary
    warnings: list[str]
