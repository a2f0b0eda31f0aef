"""Examples of the queue's answers."""

from __future__ import annotations

from acd.api.examples import AT, LATER, RUNNING, SESSION_ID, TARGET
from acd.core.queue_rows import (
    Budgets,
    EarlierFeatures,
    EarlierHarness,
    EarlierScheduler,
    EarlierStatus,
    EarlierSummary,
    EarlierTarget,
    Limit,
    Queue,
    QueueEntry,
    SyncDone,
    SyncSummary,
)

SYNC = SyncDone(
    True,
    SyncSummary(
        total=3,
        enabled=2,
        complete=1,
        in_file=3,
        added=1,
        changed=0,
        disabled=0,
        skipped=0,
        feature_lists=2,
    ),
    ["web: unknown field `priorty`"],
)
EARLIER_STATUS = EarlierStatus(
    timestamp=LATER,
    summary=EarlierSummary(3, 2, 60, 28, 32, "46.7"),
    scheduler=EarlierScheduler(1, 1, False),
    active_harnesses=[EarlierHarness("shop-api", SESSION_ID, 12, "opus", AT, "builder")],
    targets=[
        EarlierTarget(
            id="shop-api",
            name="Shop API",
            path="/repos/shop-api",
            priority=1,
            enabled=True,
            focus="payments",
            features=EarlierFeatures(20, 8, 12, "40.0"),
        )
    ],
)
QUEUE = Queue(
    state="running",
    running=[RUNNING],
    targets=[
        QueueEntry(
            target=TARGET,
            priority=1,
            state="waiting",
            reason="limit of claude-code, login 5d41402a (five_hour)",
            until=LATER,
            sessions_used=12,
            max_sessions=50,
            failures_in_a_row=1,
            session_id=None,
        )
    ],
    limits=[
        Limit(
            agent="claude-code",
            account="login 5d41402a",
            window="five_hour",
            status="rejected",
            utilization=1.0,
            resets_at=LATER,
            seen_at=AT,
            holding=True,
        )
    ],
    budgets=Budgets(
        concurrency=1,
        session_timeout_s=3600.0,
        session_budget_usd=None,
        max_turns=None,
        max_failures=5,
    ),
)
