"""Examples of what is seen at a glance."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from acd.api.examples import AT, LATER, RUNNING, SUMMARY, TARGET, TARGET_ROW
from acd.api.examples import COMMIT as BARE_COMMIT
from acd.core.control_rows import QueueOrder
from acd.core.glance_rows import (
    Glance,
    PendingFiles,
    ReachedLimit,
    RecentCommit,
    Standing,
    TargetSpending,
)

COMMIT = RecentCommit(**msgspec.structs.asdict(BARE_COMMIT), target=TARGET)
SPENDING = TargetSpending(
    tokens=123_456,
    cost=Decimal("1.2345"),
    requests=42,
    unpriced_requests=0,
    input_tokens=3_456,
    output_tokens=20_000,
    cache_read_tokens=90_000,
    cache_write_tokens=10_000,
    target=TARGET,
)
GLANCE = Glance(
    summary=SUMMARY,
    running=[RUNNING],
    targets=[TARGET_ROW],
    standing=Standing(
        gap_sessions=0,
        gap_usd=Decimal(0),
        left_out_lines=0,
        open_errors=1,
        limits=[
            ReachedLimit(
                agent="claude-code", account="login 5d41402a", window="five_hour", resets_at=LATER
            )
        ],
    ),
    pending=PendingFiles(folders=0, bytes=0),
    order=QueueOrder("running", AT),
)
