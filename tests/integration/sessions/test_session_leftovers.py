"""What a session did not commit is never deleted with its worktree, whatever state that is in."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from acd.core.facts import Delivered, HarnessFailed, LeftoversKept
from acd.files.folder import SessionFolder
from acd.harness.isolation.secrets import why_left_out
from acd.harness.recovery import recover
from tests.integration.sessions.stage import Stage, plan_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

HALF = {"do": "bash", "command": "echo half > half.txt"}


async def test_locks_of_a_killed_git_are_in_nobodys_way(ready: Stage) -> None:
    """An agent that is ended while its git writes leaves them."""
    ready.set(isolation="worktree")
    lock = "touch $(git rev-parse --git-dir)/index.lock $(git rev-parse --git-dir)/HEAD.lock"
    lock += " $(git rev-parse --git-common-dir)/refs/heads/acd/shop/1.lock"
    ready.script(plan_of({"do": "feature"}, HALF, {"do": "bash", "command": lock}))
    outcome = await ready.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    (kept,) = ready.only(LeftoversKept)
    assert ready.git("show", f"{kept.ref}:half.txt") == "half"
    assert ready.only(HarnessFailed) == []
    assert ready.git("for-each-ref", "refs/heads/acd") == ""


async def test_what_cannot_be_kept_stays_in_its_worktree(ready: Stage) -> None:
    """Here git is made unusable for us: a filter whose name no option can switch off."""
    ready.set(isolation="worktree")
    spoil = {"do": "bash", "command": "git config 'filter.a=b.clean' x"}
    ready.script(plan_of({"do": "feature"}, HALF, spoil))
    outcome = await ready.work()
    folder = ready.settings.worktrees_dir / str(outcome.session_id) / "shop"
    failures = ready.only(HarnessFailed)
    assert "leftovers_not_kept" in {failure.error_code for failure in failures}
    assert any(str(folder) in failure.message for failure in failures)
    (delivered,) = ready.only(Delivered)
    assert delivered.outcome == "refused"

    ready.git("config", "--unset", "filter.a=b.clean")
    await recover(ready.settings, lambda _: None)
    assert (folder / "half.txt").read_text() == "half\n"


def test_a_file_that_cannot_be_read_is_left_out_alone() -> None:
    """As root nearly everything can be read; this file cannot, at its beginning."""
    assert "cannot be read" in (why_left_out(Path("/proc/self"), "mem") or "")


async def test_a_list_is_brought_back_through_no_link(ready: Stage) -> None:
    """A name that could be foreseen might be a link that an agent laid there."""
    ready.set(isolation="worktree")
    ready.git("rm", "-q", "--cached", "feature_list.json")
    (ready.repository / ".gitignore").write_text("feature_list.json\n")
    ready.commit("Keep the list out")
    victim = ready.base / "victim"
    victim.write_text("mine")
    (ready.repository / ".feature_list.json.acd").symlink_to(victim)
    outcome = await ready.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    assert victim.read_text() == "mine"
    brought = ready.repository / "feature_list.json"
    assert not brought.is_symlink()
    assert [entry["passes"] for entry in json.loads(brought.read_text())] == [True, False, False]


async def test_a_worktree_that_git_cannot_look_at_is_left_alone(ready: Stage) -> None:
    """It is still linked to its repository, so nobody took it apart; here its HEAD was cut off by a crash."""
    ready.set(isolation="worktree")
    cut = {"do": "bash", "command": ": > $(git rev-parse --git-dir)/HEAD"}
    ready.script(plan_of({"do": "feature"}, HALF, cut))
    outcome = await ready.work()
    folder = ready.settings.worktrees_dir / str(outcome.session_id) / "shop"
    await recover(ready.settings, lambda _: None)
    assert (folder / "half.txt").read_text() == "half\n"
    assert ready.git("rev-parse", "acd/shop/1") == ready.truth().commits[0]


async def test_refs_of_long_ago_are_deleted(ready: Stage) -> None:
    """Old is what was committed long ago, and still to be closed is a session with a lock file."""
    ready.set(isolation="worktree", keep_refs_days=30)
    old, young, unfinished = (f"refs/acd/shop/{uuid4()}" for _ in range(3))
    tree = ready.git("rev-parse", "HEAD^{tree}")
    person = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    for ref, days in ((old, 31), (young, 29), (unfinished, 31)):
        at = f"{int(time.time()) - days * 86_400} +0000"
        commit = subprocess.run(
            ["git", "-C", str(ready.repository), *person, "commit-tree", tree, "-m", "Left"],
            env={**os.environ, "GIT_COMMITTER_DATE": at},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        ready.git("update-ref", ref, commit)
        ready.git("branch", f"acd/shop/{days}-{ref[-4:]}", commit)
    folder = SessionFolder(ready.settings.sessions_dir / unfinished.rpartition("/")[2])
    folder.path.mkdir(parents=True)
    folder.lock.touch()
    await ready.work()
    left = ready.git("for-each-ref", "--format=%(refname)", "refs/acd").split()
    assert sorted(left) == sorted([young, unfinished])
    assert len(ready.git("for-each-ref", "refs/heads/acd").splitlines()) == 3
    ready.set(keep_refs_days=0.0)
    folder.lock.unlink()
    await ready.work(session_number=2)
    assert len(ready.git("for-each-ref", "refs/acd").splitlines()) == 2
    ready.set(keep_refs_days=1.0)
    await ready.work(session_number=3)
    assert ready.git("for-each-ref", "refs/acd") == ""


@pytest.mark.parametrize("replace", [False, True])
async def test_an_agent_that_takes_its_worktree_apart(ready: Stage, replace: bool) -> None:
    """What lies around or is put in its place is not taken for the target's; what was not committed stays there."""
    ready.set(isolation="worktree")
    around = ready.settings.home
    around.mkdir()
    ready.git("init", "-q", str(around))
    again = " && git init -q && git commit -q --allow-empty -m Mine" if replace else ""
    ready.script(
        plan_of({"do": "feature"}, {"do": "bash", "command": f"rm .git{again}; echo x > left"})
    )
    outcome = await ready.work()
    assert (outcome.status, outcome.features_completed, outcome.commits_made) == ("completed", 1, 1)
    assert ready.git("rev-parse", "HEAD") == ready.truth().commits[0]
    assert ready.git("-C", str(around), "for-each-ref") == ""
    folder = ready.settings.worktrees_dir / str(outcome.session_id) / "shop"
    (failure,) = ready.only(HarnessFailed)
    assert str(folder) in failure.message
    await recover(ready.settings, lambda _: None)
    assert (folder / "left").read_text() == "x\n"
    assert ready.living() == []


async def test_an_emptied_worktree_is_removed(ready: Stage) -> None:
    """There is nothing in it that could be lost."""
    ready.set(isolation="worktree")
    empty = {"do": "bash", "command": "find . -mindepth 1 -delete"}
    ready.script(plan_of({"do": "feature"}, empty))
    outcome = await ready.work()
    assert (outcome.status, outcome.commits_made) == ("completed", 1)
    assert "leftovers_not_kept" not in {each.error_code for each in ready.only(HarnessFailed)}
    assert list(ready.settings.worktrees_dir.iterdir()) == []


async def test_a_failed_session_keeps_both_what_it_committed_and_what_not(ready: Stage) -> None:
    ready.set(isolation="worktree", keep_failed_work="ref")
    ready.script(
        plan_of(
            {"do": "feature"},
            HALF,
            {"do": "fail", "error": "overloaded"},
        )
    )
    outcome = await ready.work()
    (kept,) = ready.only(LeftoversKept)
    (delivered,) = ready.only(Delivered)
    assert kept.ref == f"refs/acd/shop/{outcome.session_id}"
    assert delivered.ref is not None
    assert delivered.ref != kept.ref
    assert ready.git("rev-parse", delivered.ref) == ready.truth().commits[0]
    assert ready.git("show", f"{kept.ref}:half.txt") == "half"
