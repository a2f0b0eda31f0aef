"""A limit of the account, and who goes first when it is over."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acd.agents.fingerprint import fingerprint
from acd.core.models import Target, target_id_of
from acd.database.connection import Database
from acd.queue.canary import Canaries
from acd.queue.orchestrator import RunOptions, work_queue
from acd.queue.standing import read_queue
from acd.queue.sync import sync
from tests.data.queue.place import Place, Seen

SLOW = {"steps": [{"do": "sleep", "seconds": 2}, {"do": "feature"}]}


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


def refusal(place: Place) -> dict[str, Any]:
    return place.rows("SELECT * FROM account_limits")[0]


async def refuse(database: Database, place: Place, resets_in: float) -> None:
    """News of a limit, as the ledger writes them."""
    await database.execute(
        "ledger.put_limits",
        rows=(
            '[{"agent": "scripted", "limit_window": "five_hour", "status": "rejected", '
            f'"resets_at": "{datetime.now(UTC) + timedelta(seconds=resets_in)}", '
            f'"seen_at": "{datetime.now(UTC)}"}}]'
        ),
        target_id=None,
        session_id=None,
    )


@pytest.mark.extra
async def test_one_wait_one_canary_and_no_storm(database: Database, place: Place) -> None:
    names = ("first", "second", "third", "fourth")
    for name in names:
        place.repository(name, ["F1"])
    limit = {"steps": [{"do": "fail", "error": "usage_limit", "resets_in": 5}]}
    plans: dict[str, dict[str, Any]] = {"*": {"sessions": [SLOW]}}
    place.write_scenario(first={"sessions": [limit, SLOW]}, **plans)
    place.write_queue(*({"id": n, "sessionDelay": 0, "priority": i} for i, n in enumerate(names)))
    both = [
        work_queue(database, place.settings, RunOptions(), observer=Seen()),
        work_queue(database, place.settings, RunOptions(), observer=Seen()),
    ]
    await asyncio.gather(*both)
    sessions = [(name, each) for name in names for each in place.sessions(name)]
    refused = [each for _, each in sessions if each["error_type"] == "usage_limit"]
    assert len(refused) == 1
    reset = refusal(place)["resets_at"]
    later = sorted(
        (each["started_at"], each["id"]) for _, each in sessions if each["started_at"] > reset
    )
    assert not [s for _, s in sessions if refused[0]["finished_at"] < s["started_at"] < reset]
    canary = later[0][1]
    (answer,) = place.rows(
        f"SELECT min(requested_at) AS at FROM token_usage_details WHERE session_id = '{canary}'"
    )
    assert len(later) >= 3
    assert all(began > answer["at"] for began, _ in later[1:])
    assert all(place.target(name)["status"] == "complete" for name in names)
    place.assert_recorded()


async def test_only_one_claims_and_a_dead_one_blocks_nobody(
    database: Database, place: Place
) -> None:
    await refuse(database, place, resets_in=-1)
    one, other = (
        Target(repo_id=name, name=name, path="/", agent="scripted") for name in ("a", "b")
    )
    windows = ("five_hour",)
    canaries = Canaries(database, place.settings, asyncio.Event())
    got = await asyncio.gather(*(canaries.may_go(t, 1, windows) for t in (one, other)))
    assert sorted(got) == [False, True]
    holder, waiting = (one, other) if got[0] else (other, one)
    assert await canaries.may_go(holder, 1, windows)  # asked again after an outage
    await canaries.over("scripted", holder.id)  # without an answer: the next one tries
    hasty = msgspec.structs.replace(place.settings, limit_canary_lease=0.01)
    short = Canaries(database, hasty, asyncio.Event())
    assert await short.may_go(waiting, 1, windows)
    await asyncio.sleep(0.05)
    assert await canaries.may_go(holder, 1, windows)  # the other one died
    await refuse(database, place, resets_in=60)
    assert not await canaries.may_go(holder, 1, windows)  # refused again, with a newer reset
    assert refusal(place)["canary_target"] == target_id_of(holder.repo_id)


async def test_a_limit_of_another_model_holds_back_nothing(
    database: Database, place: Place
) -> None:
    await refuse(database, place, resets_in=3600)
    await database.execute(
        "ledger.put_limits",
        rows='[{"agent": "scripted", "limit_window": "five_hour", "status": "allowed", '
        f'"seen_at": "{datetime.now(UTC)}"}}, '
        '{"agent": "scripted", "limit_window": "seven_day_opus", "status": "rejected", '
        f'"resets_at": "{datetime.now(UTC) + timedelta(hours=1)}", "seen_at": "{datetime.now(UTC)}"}}]',
        target_id=None,
        session_id=None,
    )
    for name in ("small", "large"):
        place.repository(name, ["F1"])
    place.write_scenario()
    place.write_queue({"id": "small", "complexity": "low"}, {"id": "large", "complexity": "high"})
    seen = Seen()
    await work_queue(database, place.settings, RunOptions(once=True), observer=seen)
    assert len(place.sessions("small")) == 1
    assert place.sessions("large") == []
    assert seen.waits[0][2] == "limit of scripted (seven_day_opus)"


@pytest.mark.extra
async def test_refusals_that_name_no_window_become_a_limit_of_the_account(
    database: Database, place: Place
) -> None:
    place.settings = msgspec.structs.replace(
        place.settings, limit_refusals=2, limit_backoff=1.5, limit_backoff_max=2.0, limit_jitter=0
    )
    refuse_it = {"steps": [{"do": "fail", "error": "rate_limit"}]}
    work = {"steps": [{"do": "feature"}]}
    for name in ("first", "second", "third"):
        place.repository(name, ["F1"])
    place.write_scenario(
        first={"sessions": [refuse_it, refuse_it, work]}, second={"sessions": [refuse_it, work]}
    )
    place.write_queue(
        *({"id": name, "priority": i} for i, name in enumerate(("first", "second", "third")))
    )
    seen = Seen()
    await work_queue(database, place.settings, RunOptions(), observer=seen)
    assert all(place.target(name)["status"] == "complete" for name in ("first", "second", "third"))
    rows = place.rows("SELECT * FROM harness_sessions ORDER BY started_at")
    assert [row["error_type"] for row in rows[:2]] == ["rate_limit", "rate_limit"]
    assert sum(row["error_type"] == "rate_limit" for row in rows) == 3
    # All wait after the second refusal, also the target that was not refused; one goes first, and is refused again.
    waits = [wait[2] for wait in seen.waits]
    assert any(wait == "limit of scripted (requests)" for wait in waits)
    pauses = [
        (after["started_at"] - before["finished_at"]).total_seconds()
        for before, after in itertools.pairwise(rows)
        if before["error_type"] == "rate_limit"
    ]
    assert pauses[1] >= 1.5
    assert pauses[2] >= 1.5 or rows[2]["error_type"] is None
    limit = refusal(place)
    assert limit["limit_window"] == "requests"
    assert limit["cleared_news"] == limit["seen_at"]
    place.assert_recorded()


async def test_the_wait_after_refusals_doubles_up_to_its_longest(
    database: Database, place: Place
) -> None:
    place.settings = msgspec.structs.replace(
        place.settings, limit_refusals=3, limit_backoff=100, limit_backoff_max=500
    )
    place.repository("a", ["F1"])
    place.write_queue({"id": "a"})
    await sync(database, place.settings)
    canaries = Canaries(database, place.settings, asyncio.Event())

    async def refused(status: str = "failed", error: str = "'rate_limit'") -> float | None:
        place.rows(
            "INSERT INTO harness_sessions (target_id, id, session_type, origin, agent, agent_session_id, model, status,"
            " error_type, account, started_at, finished_at) SELECT id, gen_random_uuid(), 'coding', 'harness',"
            f" 'scripted', gen_random_uuid()::text, 'opus', '{status}', {error}, 'login 1', now(), clock_timestamp()"
            " FROM targets RETURNING id"
        )
        await canaries.refused("scripted", "login 1")
        rows = place.rows(
            "SELECT extract(epoch FROM resets_at - seen_at)::float AS wait FROM account_limits"
        )
        return rows[0]["wait"] if rows else None

    assert [await refused() for _ in range(6)] == [None, None, 100, 200, 400, 500]
    await canaries.refused("scripted", "login 2")
    assert len(place.rows("SELECT 1 FROM account_limits")) == 1
    await refused("completed", "NULL")
    place.rows("DELETE FROM account_limits RETURNING 1")
    assert [await refused() for _ in range(3)] == [None, None, 100]


@pytest.mark.extra
async def test_the_limit_of_one_login_holds_back_no_other(database: Database, place: Place) -> None:
    homes = {}
    for login in ("ada", "ben"):
        home = place.folder / f"home-{login}"
        (home / "scripted-agent").mkdir(parents=True)
        (home / "scripted-agent" / "account").write_text(f"{login}\n")
        homes[login] = msgspec.structs.replace(place.settings, home=home, host_name=login)
    for name in ("limited", "waits", "works"):
        place.repository(name, ["F1"])
    limit = {"steps": [{"do": "fail", "error": "usage_limit", "resets_in": 3600}]}
    place.write_scenario(limited={"sessions": [limit]})
    place.write_queue(*({"id": name} for name in ("limited", "waits", "works")))

    async def run(login: str, target: str) -> Seen:
        seen = Seen()
        options = RunOptions(once=True, repo_ids=(target,))
        await work_queue(database, homes[login], options, observer=seen)
        return seen

    await run("ada", "limited")
    login = f"login {fingerprint('ada')}"
    assert (refusal(place)["agent"], refusal(place)["account"]) == ("scripted", login)
    assert [row["account"] for row in place.sessions("limited")] == [login]
    waits = (await run("ada", "waits")).waits
    assert [wait[2] for wait in waits] == [f"limit of scripted, {login} (five_hour)"]
    assert place.sessions("waits") == []
    await run("ben", "works")
    assert place.target("works")["status"] == "complete"
    shown = await read_queue(database, homes["ben"])
    assert [(each.account, each.holding) for each in shown.limits] == [(login, True)]
