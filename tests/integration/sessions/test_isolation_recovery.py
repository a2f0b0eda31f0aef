"""Harnesses that die while a session's worktree is made, merged or removed: merged once, nothing lost, nothing left."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from acd.core.facts import CommitSeen, Delivered, Ended, FeatureChanged, LeftoversKept, Started
from acd.files.locks import is_held
from acd.harness.recovery import recover, unfinished
from acd.harness.workspace import target_lock_file
from tests.integration.sessions.stage import Stage, plan_of, until
from tests.integration.sessions.test_harness_recovery import begin, die, end

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra


@pytest.fixture
def isolated(ready: Stage) -> Stage:
    """The branch moves on while the agent works, so that a merge commit is needed; the agent leaves something."""
    ready.set(isolation="worktree")
    commit = "-c user.name=A -c user.email=a@example.org commit -q"
    ready.script(
        plan_of(
            {"do": "feature"},
            {
                "do": "bash",
                "command": f"cd {ready.repository} && touch other && git add other && git {commit} -m Other",
            },
            {"do": "bash", "command": "echo half > half.txt"},
        )
    )
    return ready


def check(stage: Stage) -> None:
    assert stage.living() == []
    assert list(unfinished(stage.settings)) == []
    assert stage.git("worktree", "list").count("\n") == 0
    assert list((stage.settings.home / "worktrees").iterdir()) == []
    assert stage.git("for-each-ref", "refs/heads/acd") == ""
    assert stage.git("status", "--porcelain") == ""
    assert stage.plan is not None
    truth = stage.ledger().sessions.get(str(stage.plan.session_id))
    if truth is None:  # the agent was never started
        return
    subjects = stage.git("log", "--format=%s").splitlines()
    assert sorted(subjects) == ["Features", "Implement F1", "Merge session 1 of shop", "Other"]
    stage.git("merge-base", "--is-ancestor", truth.commits[0], "HEAD")
    assert [fact.commit.sha for fact in stage.only(CommitSeen)] == truth.commits
    assert [(f.key, f.change) for f in stage.only(FeatureChanged)] == truth.features
    (delivered,) = stage.only(Delivered)
    assert (delivered.outcome, delivered.commit) == ("merged", stage.git("rev-parse", "HEAD"))
    (kept,) = stage.only(LeftoversKept)
    assert stage.git("show", f"{kept.ref}:half.txt") == "half"
    (ended,) = stage.only(Ended)
    assert (ended.status, ended.features_completed, ended.branch) == ("completed", 1, "main")


@pytest.mark.parametrize("moment", ["git", "gitted"])
@pytest.mark.parametrize("count", range(1, 13))
async def test_a_harness_dies_at_a_call_of_git(isolated: Stage, moment: str, count: int) -> None:
    died = die(isolated, isolated.new_plan(), moment, count)
    assert died or count > 10, "fewer calls than this test knows of"
    await recover(isolated.settings, lambda _: None)
    if list(isolated.folder.journal.facts()):
        check(isolated)
    else:  # before its first fact: there is no session, and no trace of it either
        assert isolated.git("worktree", "list").count("\n") == 0
        assert isolated.git("for-each-ref", "refs/heads/acd") == ""
        assert list((isolated.settings.home / "worktrees").iterdir()) == []


@pytest.mark.parametrize("count", range(3, 11))
async def test_a_harness_dies_at_a_fact(isolated: Stage, count: int) -> None:
    die(isolated, isolated.new_plan(), "write", count)
    await recover(isolated.settings, lambda _: None)
    check(isolated)


@pytest.mark.parametrize("seed", range(4))
async def test_those_that_come_to_help_die_too(isolated: Stage, seed: int) -> None:
    chosen = random.Random(seed)
    die(isolated, isolated.new_plan(), "git", chosen.randint(3, 10))
    for _ in range(3):
        die(isolated, None, chosen.choice(["git", "gitted", "write"]), chosen.randint(1, 4))
    await recover(isolated.settings, lambda _: None)
    check(isolated)


async def test_the_kernel_keeps_a_second_agent_off_the_target(isolated: Stage) -> None:
    """The orphan in its worktree holds its target; the repository is free for others."""
    isolated.script(plan_of({"do": "feature"}, {"do": "sleep", "seconds": 3}), plan_of())
    driver = begin(isolated, isolated.new_plan(), "none")
    ledgers = isolated.settings.home / "scripted-agent" / "ledger"
    await until(
        lambda: (
            ledgers.is_dir()
            and any(isolated.ledger().sessions.values())
            and isolated.truth().commits
        )
    )
    driver.kill()
    end(driver, -9)
    orphan = isolated.folder
    common_dir: Path = isolated.repository / ".git"
    assert is_held(target_lock_file(common_dir, isolated.target))
    assert not is_held(common_dir)
    outcome = await isolated.work()
    assert outcome.status == "completed"
    (first,) = [fact for fact in orphan.journal.facts() if isinstance(fact, Ended)]
    assert (first.status, first.features_completed) == ("completed", 1)
    assert first.at <= isolated.only(Started)[0].at
    assert isolated.git("log", "-1", "--format=%s") == "Implement F1"
