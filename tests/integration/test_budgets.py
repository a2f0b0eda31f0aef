"""Budgets, held against what the scripted agents themselves wrote down."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acd.database.connection import Database
from acd.queue.orchestrator import RunOptions, RunResult, work_queue
from acd.queue.standing import read_queue
from tests.data.queue.place import Place, Seen

KILO = {"do": "say", "usage": {"input_tokens": 900, "output_tokens": 100}}
SOON = timedelta(seconds=5)


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


async def run(
    database: Database,
    place: Place,
    seen: Seen,
    **options: Any,  # noqa: ANN401 - fields of RunOptions
) -> RunResult:
    return await work_queue(database, place.settings, RunOptions(**options), observer=seen)


def with_settings(place: Place, **changes: float) -> None:
    place.settings = msgspec.structs.replace(place.settings, **changes)


def spending(seconds: float, count: int = 8) -> dict[str, Any]:
    """A session of `count` requests of 1,000 tokens each, with a rest between them."""
    rest = {"do": "sleep", "seconds": seconds}
    return {"sessions": [{"steps": [step for _ in range(count) for step in (KILO, rest)]}]}


def notices(place: Place) -> list[tuple[str, str]]:
    rows = place.rows("SELECT subject, notice FROM budget_notices ORDER BY noticed_at, notice")
    return [(row["subject"].split(" 20")[0], row["notice"]) for row in rows]


async def test_a_session_that_uses_up_its_budget_is_ended(database: Database, place: Place) -> None:
    place.repository("a", ["F1"])
    place.write_scenario(a=spending(seconds=3))
    place.write_queue({"id": "a", "budget": {"session": {"tokens": 1500}}})
    seen = Seen()
    await run(database, place, seen, once=True)
    (session,) = place.sessions("a")
    assert (session["status"], session["error_type"]) == ("failed", "budget")
    told = "used up: budget of one session: 2,000 tokens of 1,500 tokens (133 %)"
    assert session["error_message"] == told
    assert f"a: {told}" in seen.messages
    (own,) = place.agents_own.sessions.values()
    assert own.sum.requests == 2
    (last,) = place.rows("SELECT max(requested_at) AS at FROM token_usage_details")
    assert session["finished_at"] - last["at"] < SOON
    events = place.rows("SELECT outcome, text FROM session_events WHERE kind = 'budget'")
    assert events == [{"outcome": "used_up", "text": told}]
    assert "The budget of this session is 1,500 tokens" in prompt_of(place, session["id"])
    place.assert_recorded()


def prompt_of(place: Place, session_id: object) -> str:
    folder = place.settings.home / "scripted-agent" / "projects"
    (transcript,) = folder.rglob(f"{session_id}.jsonl")
    line = next(line for line in transcript.read_text().splitlines() if '"promptSource"' in line)
    return str(msgspec.json.decode(line)["message"]["content"])


@pytest.mark.extra
async def test_a_target_is_blocked_and_warned_of_once(database: Database, place: Place) -> None:
    place.repository("a", ["F1", "F2", "F3", "F4"])
    step = {"do": "feature", "usage": {"input_tokens": 900, "output_tokens": 100}}
    rest = {"do": "sleep", "seconds": 2}
    place.write_scenario(a={"sessions": [{"steps": [rest, step, rest], "closing": ""}]})
    place.write_queue({"id": "a", "budget": {"target": {"tokens": 7500}}})
    seen = Seen()
    await run(database, place, seen)
    sessions = place.sessions("a")
    assert [s["error_type"] for s in sessions] == [None, None, "budget"]
    target = place.target("a")
    assert target["status"] == "blocked"
    assert target["status_reason"].startswith("used up: budget of this target: ")
    assert notices(place).count(("target tokens", "warning")) == 1
    assert sum("nearly used up" in text for text in seen.messages) == 1
    place.assert_recorded()


async def test_the_agent_is_told_what_is_left_and_the_target_is_blocked(
    database: Database, place: Place
) -> None:
    place.repository("a", ["F1", "F2"])
    dear = {"do": "feature", "usage": {"output_tokens": 100_000}}
    place.write_scenario(a={"sessions": [{"steps": [dear]}]})
    place.write_queue(
        {"id": "a", "budget": {"target": {"usd": 0.01}}}, defaults={"budget": {"total": {"usd": 9}}}
    )
    seen = Seen()
    await run(database, place, seen)
    (session,) = place.sessions("a")
    assert session["error_type"] == "budget"
    (own,) = place.agents_own.sessions.values()
    assert own.sum.requests == 1
    assert seen.started[0].budget_usd == 0.01
    assert place.target("a")["status"] == "blocked"
    assert "budget of this target: $" in place.target("a")["status_reason"]


async def test_the_budget_of_the_day_stops_the_queue_until_the_next(
    database: Database, place: Place
) -> None:
    for name in ("a", "b"):
        place.repository(name, ["F1", "F2"])
    place.write_scenario()
    place.write_queue({"id": "a"}, {"id": "b"})
    with_settings(place, day_budget_sessions=1)
    seen = Seen()
    result = await run(database, place, seen, max_sessions=2, once=True)
    assert (result.completed, result.failed) == (1, 0)
    repo_id, until, reason = seen.waits[-1]
    assert repo_id == "b"
    assert reason.startswith("used up until the next day: budget of the day for all targets: 1 s")
    assert (until.hour, until.minute) == (0, 0)
    assert place.target("b")["status"] != "blocked"
    assert len(place.sessions("b")) == 0
    queue = await read_queue(database, place.settings)
    assert {entry.sessions_used for entry in queue.targets} == {0, 1}


@pytest.mark.extra
async def test_sessions_at_a_time_share_the_budget_of_all(database: Database, place: Place) -> None:
    for name in ("a", "b"):
        place.repository(name, ["F1"])
    place.write_scenario(a=spending(seconds=3), b=spending(seconds=3))
    place.write_queue({"id": "a"}, {"id": "b"}, defaults={"budget": {"total": {"tokens": 3500}}})
    seen = Seen()
    await run(database, place, seen, concurrency=2)
    both = [place.sessions(name) for name in ("a", "b")]
    assert [[s["error_type"] for s in sessions] for sessions in both] == [["budget"], ["budget"]]
    assert place.agents_own.sum.requests <= 5
    for name in ("a", "b"):
        assert place.target(name)["status"] == "blocked"
        assert "budget of all targets in all" in place.target(name)["status_reason"]
    assert notices(place).count(("total tokens", "used_up")) == 1
    place.assert_recorded()


@pytest.mark.extra
async def test_wall_time(database: Database, place: Place) -> None:
    place.repository("a", ["F1"])
    place.write_scenario(a=spending(seconds=2))
    place.write_queue({"id": "a", "budget": {"session": {"hours": 5 / 3600}, "target": {"usd": 5}}})
    running = run(database, place, seen := Seen(), once=True)
    await running
    (session,) = place.sessions("a")
    assert session["error_type"] == "budget"
    assert session["duration_ms"] < 15_000
    assert "hours" in session["error_message"]
    assert seen.started[0].until is not None
    place.assert_recorded()


@pytest.mark.extra
async def test_sessions_that_begin_at_one_moment_do_not_overstep_the_bound(
    database: Database, place: Place
) -> None:
    names = ("a", "b", "c", "d")
    for name in names:
        place.repository(name, ["F1"])
    place.write_scenario()
    place.write_queue(
        *({"id": name} for name in names), defaults={"budget": {"total": {"sessions": 2}}}
    )
    await run(database, place, Seen(), concurrency=4)
    assert len(place.agents_own.sessions) == 2
    ends = [place.target(name) for name in names]
    assert sorted(end["status"] for end in ends) == ["blocked", "blocked", "complete", "complete"]
    for end in ends:
        if end["status"] == "blocked":
            assert "budget of all targets in all: 2 sessions of 2" in end["status_reason"]
    assert place.rows("SELECT 1 FROM target_places WHERE begins IS NOT NULL") == []
    place.assert_recorded()
