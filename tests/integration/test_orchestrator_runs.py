"""Whole runs of the queue with the scripted agent: from the file to rows that equal the agents' own ledgers."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acd.core.errors import ConfigError, QueueFileError
from acd.database.connection import Database, open_database
from acd.queue.ending import Ending
from acd.queue.orchestrator import RunOptions, RunResult, plan, work_queue, worker
from acd.queue.turn import Done, Stop, Wait, Work
from tests.data.queue.place import Place, Seen

ONE_FEATURE = {"do": "feature"}
SLOW = {"sessions": [{"steps": [{"do": "sleep", "seconds": 60}]}]}


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


async def run(
    database: Database,
    place: Place,
    seen: Seen | None = None,
    ending: Ending | None = None,
    **options: Any,  # noqa: ANN401 - fields of RunOptions
) -> RunResult:
    return await work_queue(
        database, place.settings, RunOptions(**options), observer=seen or Seen(), ending=ending
    )


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_targets_are_worked_to_completion(database: Database, place: Place) -> None:
    place.repository("two", ["F1", "F2"])
    place.repository("new", None)
    place.write_scenario(new={"features": [{"id": "N1", "name": "One", "passes": False}]})
    place.write_queue({"id": "two"}, {"id": "new", "complexity": "low"})
    seen = Seen()
    result = await run(database, place, seen, concurrency=2)
    assert result.ended_by == "done"
    assert (result.completed, result.failed, result.recorded) == (4, 0, True)
    assert [end.status for end in result.targets] == ["complete", "complete"]
    two, new = place.sessions("two"), place.sessions("new")
    assert [(s["session_number"], s["session_type"]) for s in two] == [(1, "coding"), (2, "coding")]
    assert [s["session_type"] for s in new] == ["initializer", "coding"]
    assert {s["model"] for s in two} == {"sonnet"}
    assert {s["model"] for s in new} == {"haiku"}
    assert all(s["status"] == "completed" for s in two + new)
    assert place.target("two")["passing_features"] == 2
    assert len(seen.started) == len(seen.ended) == 4
    assert seen.progressed > 0
    place.assert_recorded()
    again = await run(database, place)
    assert (again.ended_by, again.completed, again.failed) == ("done", 0, 0)


async def test_lower_priorities_first_and_models_of_the_file(
    database: Database, place: Place
) -> None:
    for name in ("late", "early", "middle"):
        place.repository(name, ["F1"])
    place.write_scenario()
    place.write_queue(
        {"id": "late", "priority": 9},
        {"id": "early", "priority": -1, "complexity": "high"},
        {"id": "middle", "priority": "P2"},
        modelConfig={"complexityLevels": {"high": {"models": ["fable"], "fallback": "haiku"}}},
    )
    seen = Seen()
    await run(database, place, seen)
    assert [p.target.repo_id for p in seen.started] == ["early", "middle", "late"]
    assert (seen.started[0].model, seen.started[0].fallback_model) == ("fable", "haiku")


async def test_a_failure_that_may_pass_is_tried_again(database: Database, place: Place) -> None:
    place.repository("shaky", ["F1"])
    place.write_scenario(
        shaky={
            "sessions": [
                {"steps": [{"do": "fail", "error": "server"}]},
                {"steps": [{"do": "fail", "error": "overloaded"}]},
                {"steps": [ONE_FEATURE]},
            ]
        }
    )
    place.write_queue({"id": "shaky"})
    seen = Seen()
    result = await run(database, place, seen)
    assert (result.completed, result.failed) == (1, 2)
    assert [s["error_type"] for s in place.sessions("shaky")] == ["server", "overloaded", None]
    for repo_id, _, reason in seen.waits:  # a wait may be over before anybody could tell of it
        assert repo_id == "shaky"
        assert reason.startswith(("after server: ", "after overloaded: "))
    assert place.target("shaky")["status"] == "complete"
    place.assert_recorded()


async def test_a_limit_is_waited_for_to_its_reset(database: Database, place: Place) -> None:
    place.repository("limited", ["F1"])
    limit = {"do": "fail", "error": "usage_limit", "resets_in": 3}
    place.write_scenario(limited={"sessions": [{"steps": [limit]}, {"steps": [ONE_FEATURE]}]})
    place.write_queue({"id": "limited"})
    seen = Seen()
    await run(database, place, seen)
    first, second = place.sessions("limited")
    assert first["error_type"] == "usage_limit"
    assert (second["started_at"] - first["finished_at"]).total_seconds() > 2
    assert "limit of scripted" in seen.waits[0][2]
    assert second["started_at"] >= seen.waits[0][1]
    place.assert_recorded()


async def test_an_error_that_only_a_person_can_mend_stops_that_target_alone(
    database: Database, place: Place
) -> None:
    for name in ("locked-out", "fine"):
        place.repository(name, ["F1"])
    place.write_scenario(
        **{"locked-out": {"sessions": [{"steps": [{"do": "fail", "error": "auth"}]}]}}
    )
    place.write_queue({"id": "locked-out"}, {"id": "fine"})
    seen = Seen()
    result = await run(database, place, seen)
    assert result.ended_by == "done"
    target = place.target("locked-out")
    assert target["status"] == "blocked"
    assert target["status_reason"].startswith("auth: ")
    assert isinstance(seen.settled["locked-out"], Stop)
    assert place.target("fine")["status"] == "complete"
    assert len(place.sessions("locked-out")) == 1
    await run(database, place)  # whoever starts it again gives it another chance
    assert len(place.sessions("locked-out")) == 2


async def test_too_many_failures_in_a_row_block_a_target(database: Database, place: Place) -> None:
    place.repository("broken", ["F1"])
    place.write_scenario(broken={"sessions": [{"steps": [{"do": "fail", "error": "server"}]}]})
    place.write_queue(
        {"id": "broken", "complexity": "high"},
        modelConfig={"complexityLevels": {"high": {"maxRetries": 2}}},
    )
    result = await run(database, place)
    assert (result.completed, result.failed) == (0, 3)
    assert place.target("broken")["status"] == "blocked"
    assert "3 sessions in a row failed" in place.target("broken")["status_reason"]


@pytest.mark.extra
async def test_endless_work_without_progress_is_stopped(database: Database, place: Place) -> None:
    for name in ("idle", "busy"):
        place.repository(name, ["F1", "F2", "F3", "F4"])
    place.write_scenario(idle={"sessions": [{"steps": [ONE_FEATURE]}, {"steps": [{"do": "say"}]}]})
    place.write_queue({"id": "idle"}, {"id": "busy"})
    await run(database, place, concurrency=2)
    assert len(place.sessions("idle")) == 1 + place.settings.no_progress_sessions
    assert place.target("idle")["status"] == "blocked"
    assert "3 sessions in a row made no progress" in place.target("idle")["status_reason"]
    assert place.target("busy")["status"] == "complete"
    place.assert_recorded()


@pytest.mark.extra
async def test_a_feature_that_is_rejected_again_and_again_is_left_alone(
    database: Database, place: Place
) -> None:
    place.repository("liar", ["F1"])
    claim = {"steps": [{"do": "feature", "file": "lie.txt"}]}
    place.write_scenario(liar={"sessions": [claim]})
    place.write_queue({"id": "liar", "verify": "false"})
    await run(database, place)
    assert len(place.sessions("liar")) == 3
    target = place.target("liar")
    assert target["status"] == "blocked"
    assert target["status_reason"] == "only features are left that were rejected too often: F1"
    assert place.rows("SELECT status FROM target_features") == [{"status": "blocked"}]


@pytest.mark.extra
@pytest.mark.parametrize("identity", [True, False])
async def test_false_claims_without_end_block_a_target_that_has_other_work(
    database: Database, place: Place, monkeypatch: pytest.MonkeyPatch, *, identity: bool
) -> None:
    """Each claim is a commit, whoever git says made it: in an empty home it bears the harness's own name."""
    monkeypatch.setenv("HOME", str(place.folder))
    if identity:
        (place.folder / ".gitconfig").write_text("[user]\nname = Ann\nemail = ann@example.org\n")
    place.repository("stubborn", ["F1", "F2"])
    place.write_scenario(stubborn={"sessions": [{"steps": [{"do": "claim_falsely"}]}]})
    place.write_queue({"id": "stubborn", "verify": "false"})
    await run(database, place)
    target = place.target("stubborn")
    assert len(place.sessions("stubborn")) == 3 + place.settings.no_progress_sessions
    assert target["status"] == "blocked"
    assert "features were claimed again that had been rejected" in target["status_reason"]


@pytest.mark.extra
async def test_an_open_breaker_probes_and_closes(database: Database, place: Place) -> None:
    place.settings = msgspec.structs.replace(
        place.settings, max_failures=2, breaker_cooldown=1.5, breaker_probes=2
    )
    place.repository("shaky", ["F1"])
    broken = {"steps": [{"do": "fail", "error": "server"}]}
    place.write_scenario(shaky={"sessions": [broken, broken, broken, {"steps": [ONE_FEATURE]}]})
    place.write_queue({"id": "shaky"})
    await run(database, place)
    sessions = place.sessions("shaky")
    assert [s["error_type"] for s in sessions] == ["server"] * 3 + [None]
    rests = [b["started_at"] - a["finished_at"] for a, b in itertools.pairwise(sessions[1:])]
    assert all(rest.total_seconds() >= 1.5 for rest in rests)
    assert place.target("shaky")["status"] == "complete"


async def test_sessions_of_a_target_are_bounded(database: Database, place: Place) -> None:
    place.repository("idle", ["F1"])
    place.write_scenario(idle={"sessions": [{"steps": [{"do": "say"}]}]})
    place.write_queue({"id": "idle", "maxSessionsPerRepo": 2})
    await run(database, place)
    assert len(place.sessions("idle")) == 2
    assert "2 sessions (maxSessionsPerRepo) are used up" in place.target("idle")["status_reason"]


async def test_once_is_one_session_a_target(database: Database, place: Place) -> None:
    place.repository("a", ["F1", "F2", "F3"])
    place.repository("b", ["F1"])
    place.write_scenario(b={"sessions": [{"steps": [{"do": "fail", "error": "network"}]}]})
    place.write_queue({"id": "a"}, {"id": "b"})
    result = await run(database, place, once=True)
    assert (result.ended_by, result.completed, result.failed) == ("done", 1, 1)
    await run(database, place, once=True)
    assert [s["session_number"] for s in place.sessions("a")] == [1, 2]


async def test_until_complete_false_is_one_completed_session_a_run(
    database: Database, place: Place
) -> None:
    place.repository("steady", ["F1"])
    place.write_scenario(steady={"sessions": [{"steps": [{"do": "say"}]}]})
    place.write_queue({"id": "steady", "untilComplete": False})
    for expected in (1, 2):
        await run(database, place)
        assert len(place.sessions("steady")) == expected


@pytest.mark.extra
async def test_a_run_of_some_sessions_or_some_targets(database: Database, place: Place) -> None:
    for name in ("a", "b"):
        place.repository(name, ["F1", "F2", "F3"])
    place.write_scenario()
    place.write_queue({"id": "a"}, {"id": "b"})
    result = await run(database, place, max_sessions=2, repo_ids=("b",))
    assert (result.ended_by, result.completed) == ("max_sessions", 2)
    assert [end.repo_id for end in result.targets] == ["b"]
    assert place.sessions("a") == []
    result = await run(database, place, repo_ids=("a",))
    assert (result.ended_by, result.completed) == ("done", 3)
    assert len(place.sessions("b")) == 2
    with pytest.raises(ConfigError, match="not in the queue file: nowhere"):
        await run(database, place, repo_ids=("nowhere",))


async def test_hours_end_a_run_but_no_session(database: Database, place: Place) -> None:
    place.repository("a", ["F1", "F2"])
    work = {"steps": [{"do": "sleep", "seconds": 1.5}, ONE_FEATURE]}
    place.write_scenario(a={"sessions": [work]})
    place.write_queue({"id": "a"})
    result = await run(database, place, hours=0.5 / 3600)
    assert (result.ended_by, result.completed, result.failed) == ("hours", 1, 0)
    assert place.target("a")["passing_features"] == 1


async def test_what_cannot_be_worked_is_said_in_words(database: Database, place: Place) -> None:
    place.repository("half", None)
    (place.folder / "half" / "feature_list.json").write_text('[{"id": "F1"')
    place.repository("alien", ["F1"])
    (place.folder / "plain").mkdir()
    place.write_scenario()
    place.write_queue(
        {"id": "gone"}, {"id": "half"}, {"id": "alien", "agent": "martian"}, {"id": "plain"}
    )
    result = await run(database, place, concurrency=2)
    reasons = {end.repo_id: (end.status, end.reason or "") for end in result.targets}
    assert {status for status, _ in reasons.values()} == {"blocked"}
    assert "there is no folder" in reasons["gone"][1]
    assert "feature list" in reasons["half"][1]
    assert "unknown agent 'martian'" in reasons["alien"][1]
    assert "config: " in reasons["plain"][1]
    assert [s["error_type"] for s in place.sessions("plain")] == ["config"]
    assert place.sessions("gone") == place.sessions("half") == place.sessions("alien") == []


@pytest.mark.extra
async def test_targets_in_one_repository_and_in_one_serial_group(
    database: Database, place: Place
) -> None:
    shared = place.repository("shared", None)
    for name in ("x", "y"):
        (shared / f"{name}.json").write_text('[{"id": "F1", "name": "One", "passes": false}]')
    for name in ("g1", "g2"):
        place.repository(name, ["F1"])
    slow = {"sessions": [{"steps": [{"do": "sleep", "seconds": 0.7}, ONE_FEATURE]}]}
    place.write_scenario(**{"*": slow})
    place.write_queue(
        *({"id": n, "path": "shared", "featureList": f"shared/{n}.json"} for n in ("x", "y")),
        *({"id": name, "serialGroup": "together"} for name in ("g1", "g2")),
    )
    result = await run(database, place, concurrency=4)
    assert (result.completed, result.failed) == (4, 0)
    for pair in (("x", "y"), ("g1", "g2")):
        first, second = sorted(
            (place.sessions(name)[0] for name in pair), key=lambda s: s["started_at"]
        )
        assert first["finished_at"] <= second["started_at"]
    place.assert_recorded()


async def test_the_plan_says_what_would_be_done_and_writes_nothing(
    database: Database, place: Place
) -> None:
    place.repository("a", ["F1"])
    place.repository("b", None)
    place.write_scenario()
    place.write_queue(
        {"id": "a", "priority": 2, "complexity": "critical"},
        {"id": "b", "priority": 1},
        {"id": "c", "priority": 3},
        {"id": "off", "enabled": False, "priority": 4},
    )
    planned = await plan(database, place.settings, RunOptions())
    assert [(each.target.repo_id, each.model) for each in planned] == [
        ("b", "sonnet"),
        ("a", "opus"),
        ("c", "sonnet"),
        ("off", "sonnet"),
    ]
    first, second, third, fourth = (each.step for each in planned)
    assert first == Work("initializer", "session 1: there is no feature list yet")
    assert second == Work("coding", "session 1: 1 of 1 features to do")
    assert isinstance(third, Stop)
    assert fourth == Done("disabled")
    assert place.rows("SELECT * FROM targets") == []
    assert [
        e.target.repo_id for e in await plan(database, place.settings, RunOptions(repo_ids=("a",)))
    ] == ["a"]


async def test_a_file_that_cannot_be_used_starts_nothing(database: Database, place: Place) -> None:
    place.queue.write_text("{")
    with pytest.raises(QueueFileError, match="line 1, column 2"):
        await run(database, place)


@pytest.mark.extra
async def test_edits_of_the_queue_file_are_taken_up_while_it_runs(
    database: Database, place: Place
) -> None:
    for name in ("going", "added", "off"):
        place.repository(name, ["F1", "F2"])
    nap = {"sessions": [{"steps": [{"do": "sleep", "seconds": 1}, ONE_FEATURE]}]}
    place.write_scenario(going=nap, off=nap)
    entries = [{"id": "going", "sessionDelay": 3}, {"id": "off", "sessionDelay": 3}]
    place.write_queue(*entries)
    seen = Seen()
    running = asyncio.create_task(run(database, place, seen, concurrency=2))
    await until(lambda: len(seen.started) == 2)
    good = place.queue.read_text()
    place.queue.write_text(good[: len(good) // 2])
    broken_at = time.monotonic()
    await until(lambda: any("not JSON" in text for text in seen.messages))
    assert (
        time.monotonic() - broken_at < 2.5
    )  # said within 2 s; the rest is this test's own polling
    place.write_queue(entries[0], {"id": "off", "enabled": False}, {"id": "added", "colour": "red"})
    await until(lambda: any("taken up" in text for text in seen.messages))
    result = await running
    assert {end.repo_id: end.status for end in result.targets} == {
        "going": "complete",
        "added": "complete",
        "off": "paused",
    }
    assert len(place.sessions("off")) == 1
    assert any("unknown key 'colour'" in text for text in seen.messages)


async def test_an_orderly_end(database: Database, place: Place) -> None:
    place.repository("slow", ["F1"])
    place.write_scenario(slow=SLOW)
    place.write_queue({"id": "slow"})
    seen, ending = Seen(), Ending()
    running = asyncio.create_task(run(database, place, seen, ending))
    await until(lambda: seen.progressed)
    began = time.monotonic()
    ending.stop()
    result = await running
    assert time.monotonic() - began < 20
    assert (result.ended_by, result.failed, result.recorded) == ("stopped", 1, True)
    (session,) = place.sessions("slow")
    assert (session["status"], session["error_type"]) == ("failed", "interrupted")
    place.assert_recorded()


async def test_an_end_at_once(database: Database, place: Place) -> None:
    place.repository("stubborn", ["F1"])
    hang = {"do": "hang", "ignore_signals": True}
    place.write_scenario(stubborn={"sessions": [{"steps": [{"do": "say"}, hang]}]})
    place.write_queue({"id": "stubborn"})
    seen, ending = Seen(), Ending()
    running = asyncio.create_task(run(database, place, seen, ending))
    await until(lambda: seen.requests)
    ending.stop_at_once()
    began = time.monotonic()
    await running
    assert time.monotonic() - began < 5
    again = Ending()
    place.write_scenario()
    result = await run(database, place, ending=again)
    assert result.completed == 1
    place.assert_recorded()


async def test_a_worker_works_what_others_began(database: Database, place: Place) -> None:
    """An orchestrator that may work nothing itself begins the turns; a worker of another process works them."""
    place.repository("a", ["F1", "F2"])
    place.write_scenario()
    levels = {"high": {"models": ["fable"], "fallback": "haiku"}}
    place.write_queue({"id": "a", "complexity": "high"}, modelConfig={"complexityLevels": levels})
    stopped = await run(database, place, max_sessions=0)
    assert (stopped.ended_by, stopped.completed) == ("max_sessions", 0)
    ending, seen = Ending(), Seen()
    elsewhere = msgspec.structs.replace(
        place.settings, home=place.folder / "other home", queue_file=place.folder / "none.json"
    )
    working = asyncio.create_task(
        worker(database, elsewhere, RunOptions(), observer=seen, ending=ending)
    )
    await until(lambda: "a" in seen.settled)
    ending.stop()
    result = await working
    assert (result.completed, result.failed) == (2, 0)
    assert {plan.model for plan in seen.started} == {"fable"}  # as the target's own file says
    assert place.target("a")["status"] == "complete"


async def race(place: Place, folder: Path) -> None:
    """Two orchestrators with homes of their own begin the same target at the same time."""
    place.repository("prize", ["F1"])
    place.write_scenario()
    place.write_queue({"id": "prize"})

    async def orchestrate(name: str) -> RunResult:
        settings = msgspec.structs.replace(place.settings, home=folder / name)
        async with open_database(settings, application=name) as db:
            return await work_queue(db, settings, RunOptions(), observer=Seen())

    results = await asyncio.gather(orchestrate("one"), orchestrate("two"))
    assert [result.ended_by for result in results] == ["done", "done"]
    assert sum(result.completed + result.failed for result in results) == 1
    assert [s["status"] for s in place.sessions("prize")] == ["completed"]


async def test_two_orchestrators_on_one_target(place: Place, tmp_path: Path) -> None:
    await race(place, tmp_path / "homes")


@pytest.mark.long
@pytest.mark.parametrize("attempt", range(50))
async def test_two_orchestrators_on_one_target_fifty_times(
    place: Place, tmp_path: Path, attempt: int
) -> None:
    await race(place, tmp_path / str(attempt))


async def test_waits_are_steps_of_the_plan_too(database: Database, place: Place) -> None:
    place.repository("limited", ["F1"])
    limit = {"do": "fail", "error": "usage_limit", "resets_in": 3600}
    place.write_scenario(limited={"sessions": [{"steps": [limit]}]})
    place.write_queue({"id": "limited"})
    result = await run(database, place, once=True)
    assert (result.ended_by, result.failed) == ("done", 1)
    (planned,) = await plan(database, place.settings, RunOptions())
    assert isinstance(planned.step, Wait)
    queue = json.loads(place.queue.read_text())
    assert queue["repos"][0]["id"] == "limited"
