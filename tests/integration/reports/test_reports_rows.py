"""Reports against known rows: the typed reading of every report, and the exactness of its bytes."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from acd.core.contract import (
    CommitRow,
    ErrorRow,
    FeatureRow,
    ModelUsage,
    RequestRow,
    RunningSession,
    SessionRow,
    SnapshotRow,
    Summary,
    TargetRow,
)
from acd.database.connection import Database
from acd.reports import commits, errors, features, live, progress, sessions, targets, usage
from acd.reports.rows import row_of, rows_of

SESSION_7 = UUID("50000000-0000-0000-0000-000000000007")


async def test_every_report_reads_back_as_its_type(seeded: Database) -> None:
    assert len(rows_of(await targets.recent(seeded), TargetRow)) == 3
    assert len(rows_of(await sessions.recent(seeded), SessionRow)) == 8
    assert len(rows_of(await usage.recent(seeded), RequestRow)) == 9
    assert len(rows_of(await progress.recent(seeded, days=30), SnapshotRow)) == 2
    assert len(rows_of(await errors.recent(seeded, resolved=None), ErrorRow)) == 3
    found = await features.of_target(seeded, "shop-api", removed=True)
    assert len(rows_of(found or b"", FeatureRow)) == 4
    assert len(rows_of(await commits.of_target(seeded, "shop-api") or b"", CommitRow)) == 2
    assert row_of(await usage.by_model(seeded), ModelUsage).period_days == 7
    assert row_of(await targets.summary(seeded), Summary).total_sessions == 8


async def test_money_keeps_every_digit_in_the_bytes(seeded: Database) -> None:
    report = await sessions.recent(seeded, repo_id="org/tool")
    assert b'"costUsd":0.00000012' in report.replace(b" ", b"")
    assert rows_of(report, SessionRow)[0].cost_usd == Decimal("0.00000012")


async def test_sessions_come_newest_first_and_filters_narrow_them(seeded: Database) -> None:
    async def numbers(**filters: object) -> list[int | None]:
        rows = rows_of(await sessions.recent(seeded, **filters), SessionRow)  # type: ignore[arg-type]
        return [row.session_number for row in rows]

    assert await numbers() == [7, 6, 5, 4, 3, 2, 1, None]
    assert await numbers(limit=2) == [7, 6]
    assert await numbers(repo_id="shop-api", limit=3) == [7, 6, 5]
    assert await numbers(repo_id="nobody") == []
    assert await numbers(status="failed") == [6]
    assert await numbers(repo_id="shop-api", status="failed") == [6]
    assert await numbers(model="sonnet") == [None]
    assert await numbers(session_type="initializer") == [1]
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert await numbers(until=noon) == [1, None]
    assert await numbers(since=noon, until=datetime(2026, 3, 1, 14, tzinfo=UTC)) == [3, 2]
    assert await numbers(since=noon.replace(tzinfo=None), repo_id="shop-api") == [7, 6, 5, 4, 3, 2]


async def test_what_runs_now_shows_the_newest_tool_and_the_targets_features(
    seeded: Database,
) -> None:
    (running,) = rows_of(await live.running(seeded), RunningSession)
    assert running.id == SESSION_7
    assert (running.last_tool, running.request_count, running.total_tokens) == ("Bash", 2, 7805)
    assert (running.passing_features, running.total_features) == (1, 3)
    assert running.cost_usd == Decimal("0.07000007")
    assert running.unpriced_requests == 1


async def test_every_report_of_an_empty_database_is_empty(database: Database) -> None:
    assert await targets.recent(database) == b"[]"
    assert await sessions.recent(database) == b"[]"
    assert await usage.recent(database) == b"[]"
    assert await progress.recent(database) == b"[]"
    assert await errors.recent(database) == b"[]"
    assert await live.running(database) == b"[]"
    assert await features.of_target(database, "nobody") is None
    assert await commits.of_target(database, "nobody") is None
    assert await sessions.one(database, SESSION_7) is None
    spent = row_of(await usage.by_model(database), ModelUsage)
    assert (spent.total_cost, spent.by_model, spent.by_day) == (Decimal(0), {}, [])
    assert row_of(await targets.summary(database), Summary).overall_percent == 0


def test_reports_load_nothing_of_the_web() -> None:
    modules = "acd.reports.live, acd.reports.targets, acd.reports.sessions, acd.reports.rows"
    check = f"import sys, {modules}; print(*sorted({{'fastapi', 'uvicorn', 'alembic', 'jinja2'}} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""
