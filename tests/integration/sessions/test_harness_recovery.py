"""Harnesses that die at any moment: the agent lives on, the next harness adopts it or closes its session."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from acd.core.errors import Busy
from acd.core.facts import (
    Adopted,
    CommitSeen,
    Ended,
    Fact,
    FeatureChanged,
    HarnessFailed,
    ProcessStarted,
    Started,
)
from acd.files.locks import hold, is_held
from acd.harness.plan import SessionPlan
from acd.harness.recovery import recover, unfinished
from tests.integration.sessions.driver import Config
from tests.integration.sessions.stage import Stage, plan_of, until

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

DRIVER = Path(__file__).with_name("driver.py")
ROOT = Path(__file__).parents[3]


def begin(
    stage: Stage, plan: SessionPlan | None, moment: str, count: int = 1, *, unheld: bool = False
) -> subprocess.Popen[str]:
    """Start a harness that dies at its moment."""
    config = stage.base / f"config-{random.randrange(2**40)}.json"
    said = Config(stage.settings, plan, moment, count, unheld)
    config.write_bytes(msgspec.json.encode(said, enc_hook=str))
    return subprocess.Popen(
        [sys.executable, str(DRIVER), str(config)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def end(driver: subprocess.Popen[str], *expected: int) -> int:
    """Wait for it."""
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode in expected, output
    return driver.returncode


def die(stage: Stage, plan: SessionPlan | None, moment: str, count: int) -> bool:
    """Run a harness that dies at its moment; whether that came before it was done."""
    return end(begin(stage, plan, moment, count), 0, -signal.SIGKILL) != 0


@pytest.fixture
def scripted(ready: Stage) -> Stage:
    """An agent that is at work for half a second or so."""
    ready.script(
        plan_of({"do": "feature"}, {"do": "sleep", "seconds": 0.3}, {"do": "subagent"}),
    )
    return ready


def check(stage: Stage) -> list[Fact]:
    """Whatever happened: the session ended once, and what is recorded is what the agent did."""
    assert stage.living() == []
    assert list(unfinished(stage.settings)) == []
    facts = stage.facts()
    assert stage.plan is not None
    truth = stage.ledger().sessions.get(str(stage.plan.session_id))
    commits = [fact.commit.sha for fact in facts if isinstance(fact, CommitSeen)]
    changes = [(f.key, f.change) for f in facts if isinstance(f, FeatureChanged)]
    assert commits == (truth.commits if truth else [])
    assert changes == (truth.features if truth else [])
    ended = facts[-1]
    assert isinstance(ended, Ended)
    assert ended.commits_made == len(commits)
    if truth is None:  # the agent was never started; perhaps the list had not been read either
        assert ended.features_completed in {0, None}
        assert (ended.status, ended.error_type) == ("failed", "interrupted")
    else:
        assert ended.features_completed == len(changes)
        assert (ended.status, ended.error_type) == ("completed", None)
    return facts


MOMENTS = [
    *(("write", count) for count in range(1, 7)),
    *(("sync", count) for count in (1, 3, 5, 7)),
    *(("ring", count) for count in (2, 4)),
    ("start", 1),
]


@pytest.mark.parametrize(("moment", "count"), MOMENTS)
async def test_a_harness_dies_once(scripted: Stage, moment: str, count: int) -> None:
    plan = scripted.new_plan()
    died = die(scripted, plan, moment, count)
    assert died or moment == "ring"
    await recover(scripted.settings, lambda _: None)
    assert await recover(scripted.settings, lambda _: None) == []
    if (moment, count) == ("write", 1):  # before its first fact: there is no session
        assert [type(fact) for fact in scripted.folder.journal.facts()] == []
        assert scripted.ledger().sessions == {}
        return
    check(scripted)


@pytest.mark.parametrize("seed", range(5))
async def test_harnesses_die_again_and_again(scripted: Stage, seed: int) -> None:
    """Every harness that comes to help dies, too, until one does not."""
    chosen = random.Random(seed)
    plan = scripted.new_plan()
    moments = [moment for moment in MOMENTS if moment != ("write", 1)]
    assert die(scripted, plan, *chosen.choice(moments)) in {True, False}
    for _ in range(3):
        die(scripted, None, chosen.choice(["write", "sync", "ring"]), chosen.randint(1, 3))
    await recover(scripted.settings, lambda _: None)
    check(scripted)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 300))
async def test_harnesses_die_again_and_again_many_times(scripted: Stage, seed: int) -> None:
    await test_harnesses_die_again_and_again(scripted, seed)


async def _orphan(stage: Stage, *, seconds: float = 60) -> SessionPlan:
    """A session whose harness is dead and whose agent lives on."""
    stage.script(plan_of({"do": "feature"}, {"do": "sleep", "seconds": seconds}), plan_of())
    plan = stage.new_plan()
    driver = begin(stage, plan, "none")
    await until(lambda: len(stage.truth().commits) == 1 if _has_ledger(stage) else False)
    driver.kill()
    end(driver, -signal.SIGKILL)
    assert len(stage.living()) == 1
    return plan


def _has_ledger(stage: Stage) -> bool:
    assert stage.plan is not None
    return str(stage.plan.session_id) in stage.ledger().sessions


async def test_a_living_agent_is_adopted_and_watched_to_its_end(ready: Stage) -> None:
    await _orphan(ready, seconds=1.5)
    shown: list[int] = []
    (outcome,) = await recover(
        ready.settings, lambda _: None, on_progress=lambda live: shown.append(live.requests)
    )
    assert (outcome.status, outcome.exit_code) == ("completed", None)
    assert (outcome.features_completed, outcome.duration_ms) == (1, None)
    (adopted,) = [fact for fact in check(ready) if isinstance(fact, Adopted)]
    assert adopted.host
    assert shown[-1] == ready.truth().sum.requests


async def test_an_adopted_agent_is_held_to_the_limits(ready: Stage) -> None:
    await _orphan(ready)
    ready.set(session_timeout=0.5)  # counted from its start, so long over
    (outcome,) = await recover(ready.settings, lambda _: None)
    assert (outcome.status, outcome.error_type) == ("failed", "timeout")
    assert (outcome.features_completed, ready.living()) == (1, [])


async def test_an_adopted_agent_can_be_stopped(ready: Stage) -> None:
    await _orphan(ready)
    stop = asyncio.Event()
    recovery = asyncio.create_task(recover(ready.settings, lambda _: None, stop=stop))
    await until(lambda: any(isinstance(f, Adopted) for f in ready.folder.journal.facts()))
    stop.set()
    (outcome,) = await recovery
    assert outcome.error_type == "interrupted"
    assert ready.only(HarnessFailed)[0].error_type == "interrupted"


async def test_the_kernel_keeps_a_second_agent_off(ready: Stage) -> None:
    """The orphan holds the repository; a new session waits for it, or is told that it would have to."""
    await _orphan(ready, seconds=3)
    orphan = ready.folder
    assert is_held(ready.repository / ".git")
    with pytest.raises(Busy), hold(ready.repository / ".git"):
        pass
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(Busy):
        await ready.work(stop=stop)
    outcome = await ready.work()  # the agent ends by itself, and its session is closed first
    assert outcome.status == "completed"
    first = [fact for fact in orphan.journal.facts() if isinstance(fact, Ended)]
    (started,) = ready.only(Started)
    assert [ended.status for ended in first] == ["completed"]
    assert first[0].at <= started.at
    assert ready.living(orphan.session_id) == []


async def test_an_orphan_that_does_not_hold_the_lock_is_adopted_before_another_starts(
    ready: Stage,
) -> None:
    """An agent may close what it inherited; the next session looks for it all the same."""
    ready.script(
        plan_of({"do": "bash", "command": "mkdir ../busy; sleep 2; rmdir ../busy"}),
        plan_of({"do": "bash", "command": "test ! -e ../busy || touch ../overlap"}),
    )
    plan = ready.new_plan()
    driver = begin(ready, plan, "none", unheld=True)
    await until((ready.base / "busy").exists)
    driver.kill()
    end(driver, -signal.SIGKILL)
    assert not is_held(ready.repository / ".git")
    outcome = await ready.work()
    assert outcome.status == "completed"
    assert not (ready.base / "overlap").exists()
    assert [type(fact) for fact in ready.facts(plan.session_id)].count(Adopted) == 1


async def test_commits_made_after_an_orphans_end_are_not_its_own(ready: Stage) -> None:
    """Two harnesses on one home: whoever comes first closes what the dead one left, before anything else is done."""
    await _orphan(ready, seconds=0.2)
    await until(lambda: ready.living() == [])
    dead = ready.folder
    ready.script(plan_of({"do": "feature"}))
    await ready.work()
    first = {f.commit.sha for f in dead.journal.facts() if isinstance(f, CommitSeen)}
    second = {fact.commit.sha for fact in ready.only(CommitSeen)}
    assert len(first) == len(second) == 1
    assert first != second


@pytest.mark.parametrize("races", [3, pytest.param(50, marks=pytest.mark.long)])
async def test_harnesses_that_race_for_one_repository(ready: Stage, races: int) -> None:
    """Each in a process of its own; the agents would notice each other."""
    once = "mkdir ../busy || touch ../overlap; sleep 0.05; rmdir ../busy"
    ready.script(plan_of({"do": "bash", "command": once}))
    for _ in range(races):
        drivers = [begin(ready, ready.new_plan(session_number=n), "none") for n in range(3)]
        for driver in drivers:
            await asyncio.to_thread(end, driver, 0)
    assert not (ready.base / "overlap").exists()
    assert len(ready.ledger().sessions) == 3 * races


async def test_strays_without_their_leader_are_ended(ready: Stage) -> None:
    ready.script(
        plan_of(
            {"do": "grandchild", "detached": True},
            {"do": "feature"},
            {"do": "sleep", "seconds": 1},
            {"do": "exit", "signal": "KILL"},
        )
    )
    ready.new_plan()
    driver = begin(ready, ready.plan, "none")
    await until(lambda: _has_ledger(ready) and ready.truth().commits)
    driver.kill()
    end(driver, -signal.SIGKILL)
    await until(lambda: len(ready.living()) == 1)
    (outcome,) = await recover(ready.settings, lambda _: None)
    assert (outcome.status, outcome.error_type) == ("failed", "interrupted")
    assert (outcome.features_completed, outcome.commits_made) == (1, 1)
    assert ready.living() == []


async def test_a_session_that_is_looked_after_is_left_alone(ready: Stage) -> None:
    ready.script(plan_of({"do": "sleep", "seconds": 1.5}))
    session = asyncio.create_task(ready.work())
    await until(lambda: bool(ready.shown))
    assert [f.session_id for f in unfinished(ready.settings)] == [ready.folder.session_id]
    assert await recover(ready.settings, lambda _: None) == []
    outcome = await session
    assert outcome.status == "completed"
    assert not any(isinstance(fact, Adopted) for fact in ready.facts())


async def test_two_that_recover_at_once(scripted: Stage) -> None:
    die(scripted, scripted.new_plan(), "ring", 3)
    outcomes = await asyncio.gather(*(recover(scripted.settings, lambda _: None) for _ in range(4)))
    assert sum(len(found) for found in outcomes) == 1
    check(scripted)


async def test_what_the_dead_harness_found_out_is_kept(ready: Stage) -> None:
    """It had ended the agent for its silence, and died before it could say more than that."""
    ready.set(silence_timeout=0.5)
    ready.script(plan_of({"do": "feature"}, {"do": "hang"}))
    plan = ready.new_plan()
    # Facts: started, features, process, features after, commit, failure; then death at the last.
    assert die(ready, plan, "write", 7)
    (outcome,) = await recover(ready.settings, lambda _: None)
    assert (outcome.status, outcome.error_type) == ("failed", "stalled")
    assert len(ready.only(HarnessFailed)) == 1


async def test_other_folders_are_none_of_our_business(ready: Stage) -> None:
    for name in ("notes", "8d0d9b1c-0000-4000-8000-000000000000"):
        (ready.settings.sessions_dir / name).mkdir(parents=True)
        (ready.settings.sessions_dir / name / "lock").touch()
    assert await recover(ready.settings, lambda _: None) == []
    assert (ready.settings.sessions_dir / "notes" / "lock").exists()


async def test_an_agent_nobody_knows_any_more(scripted: Stage) -> None:
    """A session of an adapter that is not installed is left, and stops nobody else."""
    plan = scripted.new_plan()
    assert die(scripted, plan, "write", 3)
    journal = scripted.folder.journal.path
    journal.write_text(journal.read_text().replace('"agent":"scripted"', '"agent":"gone"'))
    assert await recover(scripted.settings, lambda _: None) == []
    outcome = await scripted.work()
    assert outcome.status == "completed"
    await until(lambda: scripted.living(plan.session_id) == [])


async def test_a_harness_in_a_process_of_its_own_works(scripted: Stage) -> None:
    """The control: the driver that never dies leaves nothing to recover."""
    assert not die(scripted, scripted.new_plan(), "none", 1)
    assert await recover(scripted.settings, lambda _: None) == []
    assert not any(isinstance(fact, Adopted) for fact in check(scripted))
    assert len(scripted.only(ProcessStarted)) == 1
