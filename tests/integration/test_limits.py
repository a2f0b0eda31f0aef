"""A limit of the account, and who goes first when it is over."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from acd.core.models import Target, target_id_of
from acd.database.connection import Database
from acd.queue.canary import Canaries
from acd.queue.orchestrator import RunOptions, work_queue
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
    canaries = Canaries(database, 60, asyncio.Event())
    got = await asyncio.gather(*(canaries.may_go(t, 1, windows) for t in (one, other)))
    assert sorted(got) == [False, True]
    holder, waiting = (one, other) if got[0] else (other, one)
    assert await canaries.may_go(holder, 1, windows)  # asked again after an outage
    await canaries.over("scripted", holder.id)  # without an answer: the next one tries
    short = Canaries(database, 0.01, asyncio.Event())
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
