"""The mission's four calls: what other programs tell is recorded, with the database there and with it away."""

from __future__ import annotations

import logging
from decimal import Decimal
from pathlib import Path

import pytest

from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger.recorder import Recorder
from acd.metrics_db import AsyncMetricsDb, MetricsDb
from acd.reports.totals import disagreements, four_ways
from tests.integration.ledger.stage import rows_of


async def test_a_session_from_start_to_end(
    database: Database, database_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "acd")
    metrics = AsyncMetricsDb(database_settings)
    target_id = await metrics.ensure_target("shop-api", "Shop API", "/srv/shop")
    session = await metrics.start_session("shop-api", 1, "coding", "sonnet")
    [running] = await rows_of(database, "harness_sessions")
    assert running["status"] == "running"
    assert f"DB session started: {session.id}" in caplog.messages

    await metrics.end_session(
        session.id,
        status="completed",
        input_tokens=1200,
        output_tokens=340,
        cache_read_tokens=5000,
        cache_write_tokens=700,
        cost_usd="0.0231",
        features_before=2,
        features_after=4,
        features_completed=2,
        commits_made=3,
    )
    await metrics.update_daily_stats("shop-api", 12)
    assert "DB session ended: 2 features completed" in caplog.messages

    [row] = await rows_of(database, "harness_sessions")
    expected = {
        "target_id": target_id,
        "session_number": 1,
        "session_type": "coding",
        "origin": "api",
        "model": "sonnet",
        "status": "completed",
        "input_tokens": 1200,
        "output_tokens": 340,
        "cache_read_tokens": 5000,
        "cache_write_tokens": 700,
        "cost_usd": Decimal("0.0231"),
        "features_before": 2,
        "features_after": 4,
        "features_completed": 2,
        "commits_made": 3,
        "error_type": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["duration_ms"] >= 0
    [usage] = await rows_of(database, "model_usage")
    assert (usage["model"], usage["total_tokens"]) == ("sonnet", 7240)
    [snapshot] = await rows_of(database, "progress_snapshots")
    assert (snapshot["total_features"], snapshot["passing_features"]) == (12, 4)
    assert (snapshot["sessions_today"], snapshot["tokens_today"]) == (1, 7240)
    [target] = await rows_of(database, "targets")
    assert (target["name"], target["path"], target["total_features"]) == (
        "Shop API",
        "/srv/shop",
        12,
    )
    assert disagreements(await four_ways(database)) == []


async def test_a_failed_session_keeps_its_error(
    database: Database, database_settings: Settings
) -> None:
    metrics = AsyncMetricsDb(database_settings)
    session = await metrics.start_session("x", 1, "initializer", "opus")
    await metrics.end_session(
        session.id, status="failed", error_type="rate_limit", error_message="429"
    )
    [row] = await rows_of(database, "harness_sessions")
    assert (row["status"], row["error_type"], row["error_message"]) == (
        "failed",
        "rate_limit",
        "429",
    )


async def test_naming_a_target_again_renames_it(
    database: Database, database_settings: Settings
) -> None:
    metrics = AsyncMetricsDb(database_settings)
    first = await metrics.ensure_target("x", "Old", "/old")
    assert await metrics.ensure_target("x", "New", "/new") == first
    [target] = await rows_of(database, "targets")
    assert (target["name"], target["path"]) == ("New", "/new")


async def test_with_the_database_away_the_calls_succeed_and_are_recorded_later(
    database: Database,
    database_settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "acd")
    nowhere = f"postgresql://acd_user@/acd_database?host={tmp_path}"
    away = AsyncMetricsDb(Settings(home=database_settings.home, database_url=nowhere))
    await away.ensure_target("x", "X", "/x")
    session = await away.start_session("x", 1, "coding", "haiku")
    await away.end_session(session.id, input_tokens=10, cost_usd=0.5, commits_made=1)
    await away.update_daily_stats("x", 3)
    assert sum("database away" in message for message in caplog.messages) == 4

    async with Recorder(database, database_settings) as recorder:
        await recorder.catch_up_all()
        assert await recorder.settle(60)
    [row] = await rows_of(database, "harness_sessions")
    assert (row["input_tokens"], row["cost_usd"], row["commits_made"]) == (10, Decimal("0.5"), 1)
    [target] = await rows_of(database, "targets")
    assert target["total_features"] == 3


async def test_a_session_ends_once(database: Database, database_settings: Settings) -> None:
    metrics = AsyncMetricsDb(database_settings)
    session = await metrics.start_session("x", 1, "coding", "haiku")
    await metrics.end_session(session.id)
    with pytest.raises(ConfigError, match="has ended already"):
        await metrics.end_session(session.id, status="failed")
    [row] = await rows_of(database, "harness_sessions")
    assert row["status"] == "completed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cost_usd": "NaN"}, "cost_usd"),
        ({"cost_usd": -1}, "cost_usd"),
        ({"input_tokens": -5}, "input_tokens"),
        ({"status": "running"}, "completed or failed"),
    ],
)
async def test_bad_figures_are_refused_and_nothing_is_written(
    database: Database, database_settings: Settings, arguments: dict[str, object], message: str
) -> None:
    metrics = AsyncMetricsDb(database_settings)
    session = await metrics.start_session("x", 1, "coding", "haiku")
    with pytest.raises(ConfigError, match=message):
        await metrics.end_session(session.id, **arguments)  # type: ignore[arg-type]
    await metrics.end_session(session.id)
    [row] = await rows_of(database, "harness_sessions")
    assert (row["status"], row["input_tokens"], row["cost_usd"]) == ("completed", 0, 0)


def test_an_unknown_session_is_a_clear_error(database_settings: Settings) -> None:
    with pytest.raises(ConfigError, match="no session"):
        MetricsDb(database_settings).end_session("00000000-0000-0000-0000-000000000009")


def test_without_an_event_loop(database_settings: Settings) -> None:
    metrics = MetricsDb(database_settings)
    metrics.ensure_target("x", "X", "/x")
    session = metrics.start_session("x", 1, "coding", "sonnet")
    metrics.end_session(session.id, output_tokens=3)
    metrics.update_daily_stats("x", 1)
    assert session.session_number == 1
