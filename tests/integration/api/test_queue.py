"""`GET /api/queue`: where every target stands and why, with the job engine's own tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.jobs import Turn, Turns, open_turns
from acd.queue.presence import Workers

WEB = Target("web", "Web", "/repos/web")
NOW = datetime.now(UTC)
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


async def queue(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/api/queue")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def entry(client: httpx.AsyncClient, repo_id: str) -> dict[str, Any]:
    (found,) = [e for e in (await queue(client))["targets"] if e["target"]["repoId"] == repo_id]
    return dict(found)


@pytest.fixture
async def change(seeded: Database) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(seeded.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def web(change: psycopg.AsyncConnection) -> None:
    """A target whose last two sessions failed."""
    await change.execute(
        "INSERT INTO targets (id, repo_id, name, path, status) VALUES (%s, 'web', 'Web', '/repos/web', 'active')",
        [WEB.id],
    )
    for number, (status, ago) in enumerate(
        [("completed", 50), ("failed", 40), ("failed", 30)], start=1
    ):
        await change.execute(
            "INSERT INTO harness_sessions (target_id, id, session_number, session_type, origin, agent, "
            "agent_session_id, model, status, started_at, finished_at, error_type, error_message) "
            "VALUES (%s, %s, %s, 'coding', 'harness', 'claude-code', %s, 'opus', %s, %s, %s, 'overloaded', 'try later')",
            [
                *(WEB.id, uuid4(), number, str(number), status),
                *(NOW - timedelta(minutes=ago), NOW + timedelta(minutes=60 - ago)),
            ],
        )


@pytest.fixture
async def turns(seeded: Database, settings: Settings) -> Turns:
    return await open_turns(seeded, Workers(settings.locks_dir, seeded.url))


async def test_before_any_run(client: httpx.AsyncClient) -> None:
    told = await queue(client)
    assert told["state"] == "running"
    assert [(e["target"]["repoId"], e["state"]) for e in told["targets"]] == [
        ("docs", "paused"),
        ("shop-api", "running"),
        ("org/tool", "complete"),
    ]
    (running,) = told["running"]
    shop = told["targets"][1]
    assert shop["sessionId"] == running["id"] == "50000000-0000-0000-0000-000000000007"
    assert (shop["sessionsUsed"], shop["maxSessions"]) == (7, 50)
    assert told["budgets"]["concurrency"] == 1
    assert told["limits"] == []


@pytest.mark.usefixtures("web")
async def test_what_nobody_has_begun_is_idle(
    client: httpx.AsyncClient, change: psycopg.AsyncConnection
) -> None:
    web = await entry(client, "web")
    assert (web["state"], web["until"], web["failuresInARow"]) == ("idle", None, 0)
    await change.execute("UPDATE targets SET status = 'blocked', status_reason = 'auth: no key'")
    web = await entry(client, "web")
    assert (web["state"], web["reason"]) == ("blocked", "auth: no key")


@pytest.mark.usefixtures("web")
async def test_a_turn_that_may_begin_waits_for_a_worker(
    client: httpx.AsyncClient, turns: Turns
) -> None:
    await turns.defer([(Turn(WEB.id, BEGUN), WEB)])
    assert (await entry(client, "web"))["state"] == "due"


@pytest.mark.usefixtures("web")
async def test_after_a_failure_it_says_which_and_until_when(
    client: httpx.AsyncClient, turns: Turns
) -> None:
    due = (NOW + timedelta(hours=1)).replace(microsecond=0)
    await turns.defer([(Turn(WEB.id, BEGUN), WEB)], due)
    web = await entry(client, "web")
    assert (web["state"], web["reason"]) == ("waiting", "after overloaded: try later")
    assert datetime.fromisoformat(web["until"]) == due
    assert web["failuresInARow"] == 2


@pytest.mark.usefixtures("web")
async def test_failures_before_the_turns_were_begun_do_not_count(
    client: httpx.AsyncClient, turns: Turns
) -> None:
    await turns.defer([(Turn(WEB.id, NOW - timedelta(minutes=35)), WEB)])
    assert (await entry(client, "web"))["failuresInARow"] == 1


@pytest.mark.usefixtures("web")
async def test_a_limit_says_what_it_holds_back(
    client: httpx.AsyncClient, change: psycopg.AsyncConnection, turns: Turns
) -> None:
    resets = (NOW + timedelta(hours=2)).replace(microsecond=0)
    await change.execute(
        "INSERT INTO account_limits (agent, limit_window, status, utilization, resets_at, seen_at) "
        "VALUES ('claude-code', 'five_hour', 'rejected', 1, %s, now()), "
        "('claude-code', 'weekly', 'warning', 0.8, now() + interval '3 days', now()), "
        "('other', 'five_hour', 'rejected', 1, now() - interval '1 minute', now())",
        [resets],
    )
    due = resets + timedelta(seconds=2)
    await turns.defer([(Turn(WEB.id, BEGUN), WEB)], due)
    told = await queue(client)
    assert [(each["agent"], each["window"], each["holding"]) for each in told["limits"]] == [
        ("claude-code", "five_hour", True),
        ("other", "five_hour", False),
        ("claude-code", "weekly", False),
    ]
    web = await entry(client, "web")
    assert (web["state"], web["reason"]) == ("waiting", "limit of claude-code (five_hour)")
    assert datetime.fromisoformat(web["until"]) == due
