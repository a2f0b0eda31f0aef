"""`/metrics` against the rows behind it, and against the API through a real Prometheus."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.ledger.lookout import Lookout
from acd.server import create_app
from tests.integration.metrics.prometheus import scraping
from tests.integration.serving import put_seed, serving

BASE = "http://127.0.0.1:3434"
SESSION = "50000000-0000-0000-0000-0000000000aa"


@pytest.fixture
async def client(database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    put_seed(database.url)
    app = create_app(database, settings, pending=Lookout(database, settings).backlog)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
        yield client


Told = Mapping[str, float]


async def told_by(client: httpx.AsyncClient) -> Told:
    """Every sample, by its name and label values."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_figures_are_those_of_the_rows(client: httpx.AsyncClient) -> None:
    told = await told_by(client)
    assert {key: told[f"acd_sessions {key}"] for key in ("running", "completed", "failed")} == {
        "running": 1,
        "completed": 6,
        "failed": 1,
    }
    assert told["acd_running_sessions"] == 1
    # Shop API works and the docs are disabled, so nothing waits.
    assert told["acd_queue_depth"] == 0
    assert (told["acd_targets active"], told["acd_targets blocked"]) == (1, 0)
    assert told["acd_tokens_total claude-opus-4-8 input"] == 2793
    assert told["acd_tokens_total claude-opus-4-8 cache_read"] == 28000
    assert told["acd_tokens_total mystery-1 input"] == 7
    assert told["acd_cost_usd_total claude-opus-4-8"] == pytest.approx(0.28000028)
    assert told["acd_requests_total claude-opus-4-8"] == 7
    assert told["acd_unpriced_requests_total"] == 1
    assert (told["acd_features"], told["acd_passing_features"]) == (5, 3)
    assert told["acd_verified_features"] == 1
    assert told["acd_unresolved_errors"] == 2
    assert told["acd_errors_total billing"] == 0


async def test_what_waits_in_files_is_told_with_its_age(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    told = await told_by(client)
    assert told["acd_ledger_pending_bytes"] == told["acd_ledger_lag_seconds"] == 0
    folder = SessionFolder(settings.sessions_dir / SESSION)
    folder.create()
    folder.journal.path.write_bytes(b"x" * 70)
    folder.stream.write_bytes(b"y" * 30)
    an_hour_ago = time.time() - 3600
    os.utime(folder.stderr, (an_hour_ago, an_hour_ago))
    told = await told_by(client)
    assert told["acd_ledger_pending_bytes"] == 100
    assert told["acd_ledger_pending_sessions"] == 1
    assert 3600 <= told["acd_ledger_lag_seconds"] < 3700


async def test_lag_is_since_the_file_was_last_read(
    client: httpx.AsyncClient, settings: Settings, database: Database
) -> None:
    with psycopg.connect(database.url) as connection:
        row = connection.execute(
            "INSERT INTO ledger_files (target_id, session_id, host, name, inode, size, head_sha256, head_length, "
            "read_offset, updated_at) SELECT target_id, id, %s, 'journal.jsonl', 1, 50, '', 0, 50, "
            "now() - interval '90 seconds' FROM harness_sessions LIMIT 1 RETURNING session_id",
            (os.uname().nodename,),
        ).fetchone()
    assert row is not None
    folder = SessionFolder(settings.sessions_dir / str(row[0]))
    folder.create()
    folder.journal.path.write_bytes(b"x" * 70)
    told = await told_by(client)
    assert told["acd_ledger_pending_bytes"] == 20
    assert 90 <= told["acd_ledger_lag_seconds"] < 190


async def test_the_ratio_leaves_out_what_has_no_price(
    client: httpx.AsyncClient, database: Database
) -> None:
    # All of these sessions are older than seven days.
    assert "acd_reported_to_priced_cost_ratio" not in await told_by(client)
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE harness_sessions SET started_at = now() - interval '1 day' WHERE session_number <> 2"
        )
    assert (await told_by(client))["acd_reported_to_priced_cost_ratio"] == 1
    with psycopg.connect(database.url) as connection:
        # The seventh has a request without a price: however wrong its report, the two cannot be compared.
        connection.execute(
            "UPDATE harness_sessions SET reported_cost_usd = 1000 WHERE session_number = 7"
        )
        connection.execute(
            "UPDATE harness_sessions SET reported_cost_usd = cost_usd + 0.19000019 WHERE session_number = 1"
        )
    # Sessions 1, 3, 4, 5 and 6 together cost 0.19000019.
    assert (await told_by(client))["acd_reported_to_priced_cost_ratio"] == pytest.approx(2)


async def test_an_empty_database_has_every_series_that_must_start_at_zero(
    database: Database, settings: Settings
) -> None:
    transport = httpx.ASGITransport(create_app(database, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        told = await told_by(client)
    assert told["acd_sessions failed"] == told["acd_errors_total rate_limit"] == 0
    assert "acd_reported_to_priced_cost_ratio" not in told
    assert "acd_ledger_lag_seconds" not in told  # this server does not record


async def test_the_number_of_series_does_not_grow_with_sessions_and_targets(
    client: httpx.AsyncClient, database: Database
) -> None:
    before = await told_by(client)
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO targets (id, repo_id, name, path) "
            "SELECT gen_random_uuid(), 'r' || n, 'r' || n, '/r' || n FROM generate_series(1, 50) AS n"
        )
        connection.execute(
            "INSERT INTO harness_sessions (target_id, id, session_type, origin, agent, agent_session_id, model, "
            "status, started_at) SELECT id, gen_random_uuid(), 'coding', 'harness', 'scripted', 's', 'opus', "
            "'completed', now() FROM targets"
        )
        connection.execute(
            "INSERT INTO progress_snapshots (target_id, snapshot_date, total_features, passing_features, "
            "verified_features, percent_complete, sessions_today) SELECT id, current_date, 0, 0, 0, 0, 1 "
            "FROM targets WHERE repo_id LIKE 'r%'"
        )
    after = await told_by(client)
    assert set(after) == set(before)
    assert after["acd_sessions completed"] == before["acd_sessions completed"] + 50
    assert after["acd_queue_depth"] == 50


@pytest.mark.extra
async def test_prometheus_gives_the_same_totals_as_the_api(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    put_seed(database.url)
    async with (
        serving(database, settings) as address,
        scraping(address, tmp_path) as prometheus,
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        summary = (await client.get("/api/db/targets/summary")).json()["data"]
        usage = (await client.get("/api/db/model-usage?days=3660")).json()["data"]
        errors = (await client.get("/api/db/errors?resolved=all&limit=1000")).json()["data"]
        assert await prometheus.warnings() == []
        assert await prometheus.one("sum(acd_tokens_total)") == summary["totalTokens"]
        assert await prometheus.one("sum(acd_cost_usd_total)") == pytest.approx(
            summary["totalCostUsd"]
        )
        assert await prometheus.one("sum(acd_sessions)") == summary["totalSessions"]
        assert await prometheus.one("acd_running_sessions") == summary["runningSessions"]
        assert await prometheus.one("acd_features") == summary["totalFeatures"]
        assert await prometheus.one("acd_passing_features") == summary["passingFeatures"]
        assert await prometheus.one("acd_verified_features") == summary["verifiedFeatures"]
        assert await prometheus.one("sum(acd_errors_total)") == len(errors)
        by_model = await prometheus.ask("sum by (model) (acd_tokens_total)")
        assert by_model == {name: one["tokens"] for name, one in usage["byModel"].items()}
        assert await prometheus.ask("acd_requests_total") == {
            name: one["requests"] for name, one in usage["byModel"].items()
        }
        kinds = await prometheus.ask("sum by (type) (acd_tokens_total)")
        assert kinds["cache_read"] == sum(
            one["cacheReadTokens"] for one in usage["byModel"].values()
        )
