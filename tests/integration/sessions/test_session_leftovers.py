"""What a session did not commit is never deleted with its worktree, whatever state that is in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acd.core.facts import Delivered, HarnessFailed, LeftoversKept
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
