"""Each session in a git worktree of its own: what is merged, what is kept, and what is never touched."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from acd.core.facts import (
    CommitSeen,
    Delivered,
    Ended,
    FeatureChanged,
    FeaturesSeen,
    HarnessFailed,
    LeftoversKept,
    ProcessStarted,
    Started,
)
from acd.core.models import Target
from acd.harness.features import counts
from tests.integration.sessions.stage import FEATURES, Stage, plan_of

# Long: `make test` is to take minutes, and CI runs everything. One of them stands in test_session_work.py.
pytestmark = pytest.mark.extra

KEY = "AKIA" + "ABCDEFGHIJKLMNOP"


@pytest.fixture
def isolated(ready: Stage) -> Stage:
    """A committed feature list, and sessions in worktrees."""
    ready.set(isolation="worktree")
    (ready.repository / "README.md").write_text("one\ntwo\nthree\n")
    ready.commit("Readme")
    return ready


def check_nothing_left(stage: Stage) -> None:
    """No worktree, no branch of a session, no process."""
    assert stage.git("worktree", "list").count("\n") == 0
    assert list((stage.settings.home / "worktrees").iterdir()) == []
    assert stage.git("for-each-ref", "refs/heads/acd") == ""
    assert stage.living() == []


def delivered(stage: Stage) -> Delivered:
    (fact,) = stage.only(Delivered)
    return fact


async def test_work_arrives_in_the_branch_and_the_worktree_goes(isolated: Stage) -> None:
    head = isolated.git("rev-parse", "HEAD")
    isolated.script(plan_of({"do": "feature"}, {"do": "bash", "command": "pwd > ../../../../cwd"}))
    outcome = await isolated.work()
    assert (outcome.status, outcome.features_completed, outcome.commits_made) == ("completed", 1, 1)
    (started,) = isolated.only(Started)
    home = isolated.settings.home
    folder = home / "worktrees" / str(started.session_id) / "shop"
    assert (isolated.base / "cwd").read_text().strip() == str(folder)
    assert (started.isolation, started.workspace, started.branch) == (
        "worktree",
        str(folder),
        "acd/shop/1",
    )
    assert (started.base_branch, started.head_before) == ("main", head)
    assert isolated.git("rev-parse", "HEAD") == isolated.truth().commits[0]
    assert isolated.git("rev-parse", "HEAD~1") == head
    assert isolated.git("status", "--porcelain") == ""
    assert delivered(isolated).outcome == "merged"
    (ended,) = isolated.only(Ended)
    assert (ended.branch, ended.head_after) == ("main", isolated.git("rev-parse", "HEAD"))
    check_nothing_left(isolated)


async def test_a_dirty_tree_is_neither_swept_nor_lost(isolated: Stage) -> None:
    (isolated.repository / "README.md").write_text("my own words\n")
    (isolated.repository / "notes.txt").write_text("untracked")
    (isolated.repository / "staged.txt").write_text("staged")
    isolated.git("add", "staged.txt")
    before = isolated.git("status", "--porcelain")
    outcome = await isolated.work()
    assert (outcome.status, outcome.commits_made) == ("completed", 1)
    assert isolated.git("status", "--porcelain") == before
    assert (isolated.repository / "README.md").read_text() == "my own words\n"
    names = isolated.git("show", "--format=", "--name-only", "HEAD").split()
    assert sorted(names) == ["feature_list.json", "features/F1.md"]
    check_nothing_left(isolated)


async def test_changes_in_the_way_keep_the_work_on_its_branch(isolated: Stage) -> None:
    head = isolated.git("rev-parse", "HEAD")
    (isolated.repository / "README.md").write_text("my own words\n")
    isolated.script(plan_of({"do": "feature", "file": "README.md", "content": "theirs\n"}))
    outcome = await isolated.work()
    assert (outcome.status, outcome.error_type, outcome.retryable) == ("failed", "config", False)
    assert outcome.error_message is not None
    assert "kept on branch acd/shop/1" in outcome.error_message
    assert "README.md" in outcome.error_message
    assert (outcome.features_after, outcome.features_completed) == (0, 0)
    assert (isolated.repository / "README.md").read_text() == "my own words\n"
    assert isolated.git("rev-parse", "HEAD") == head
    assert isolated.git("rev-parse", "acd/shop/1") == isolated.truth().commits[0]
    (failure,) = isolated.only(HarnessFailed)
    assert failure.error_code == "merge_refused"
    assert [(c.key, c.change, c.status) for c in isolated.only(FeatureChanged)] == [
        ("F1", "claimed", "passing"),
        ("F1", "unmerged", "pending"),
    ]
    assert counts(isolated.only(FeaturesSeen)[-1].features) == (3, 0)
    (ended,) = isolated.only(Ended)
    assert (ended.branch, ended.head_after) == ("acd/shop/1", isolated.truth().commits[0])

    isolated.git("checkout", "README.md")
    isolated.script(plan_of({"do": "feature"}))
    outcome = await isolated.work(session_number=1)  # also after the numbers began anew
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    assert isolated.git("branch", "--list", "acd/shop/1").strip() == "acd/shop/1"


async def test_a_list_that_is_not_committed_stops_the_session(isolated: Stage) -> None:
    path = isolated.repository / "feature_list.json"
    path.write_text(path.read_text().replace("Feature F1", "Feature One"))
    outcome = await isolated.work()
    assert (outcome.status, outcome.error_type) == ("failed", "config")
    assert outcome.error_message is not None
    assert "commit them" in outcome.error_message
    assert isolated.only(ProcessStarted) == []
    check_nothing_left(isolated)


async def test_a_conflict_keeps_the_work_and_says_where(isolated: Stage) -> None:
    """Somebody commits to the branch while the agent works."""
    isolated.script(
        plan_of(
            {
                "do": "bash",
                "command": f"cd {isolated.repository} && echo ours > README.md && "
                "git -c user.name=A -c user.email=a@b commit -qam Ours",
            },
            {"do": "bash", "command": "echo theirs > README.md"},
            {"do": "feature"},
        )
    )
    outcome = await isolated.work()
    assert (outcome.status, outcome.error_type, outcome.retryable) == ("failed", "unknown", True)
    assert outcome.error_message is not None
    assert "main has changed in the same places meanwhile: README.md" in outcome.error_message
    assert isolated.git("log", "-1", "--format=%s") == "Ours"
    assert isolated.git("rev-parse", "acd/shop/1") == isolated.truth().commits[0]
    assert isolated.git("status", "--porcelain") == ""
    assert outcome.features_completed == 0


@pytest.mark.parametrize("merge", ["fast-forward-or-merge", "fast-forward"])
async def test_a_branch_that_moved_on(isolated: Stage, merge: str) -> None:
    isolated.set(merge=merge)
    isolated.script(
        plan_of(
            {
                "do": "bash",
                "command": f"cd {isolated.repository} && touch other && git add other && "
                "git -c user.name=A -c user.email=a@b commit -qm Other",
            },
            {"do": "feature"},
        )
    )
    outcome = await isolated.work()
    if merge == "fast-forward":
        assert (outcome.error_type, outcome.features_completed) == ("config", 0)
        return
    assert (outcome.status, outcome.features_completed, outcome.commits_made) == ("completed", 1, 1)
    assert isolated.git("log", "-1", "--format=%s%n%an") == "Merge session 1 of shop\nacd"
    assert (isolated.repository / "other").exists()
    assert (isolated.repository / "features" / "F1.md").exists()
    assert isolated.git("status", "--porcelain") == ""
    assert [f.commit.sha for f in isolated.only(CommitSeen)] == isolated.truth().commits
    check_nothing_left(isolated)


async def test_merge_none_keeps_every_session_on_its_branch(isolated: Stage) -> None:
    isolated.set(merge="none")
    outcome = await isolated.work()
    assert (outcome.status, outcome.features_completed, outcome.commits_made) == ("completed", 0, 1)
    assert delivered(isolated).ref == "refs/heads/acd/shop/1"
    assert isolated.git("rev-parse", "acd/shop/1") == isolated.truth().commits[0]
    assert isolated.git("worktree", "list").count("\n") == 0


async def test_two_targets_on_one_path_work_at_once(isolated: Stage) -> None:
    """Each meets the other at work, and neither sees what the other does."""
    other_list = isolated.base / "queue" / "docs.json"
    other_list.parent.mkdir()
    own_list = (isolated.repository / "feature_list.json").read_text()
    other_list.write_text(own_list.replace('"F', '"D'))
    other = Target(
        repo_id="docs",
        name="Docs",
        path=isolated.target.path,
        agent="scripted",
        feature_list=str(other_list),
    )
    meet = (
        "touch ../../../../begun-$ACD_SESSION_ID; for i in $(seq 600); do "
        "test $(ls ../../../../begun-* | wc -l) -ge 2 && break; sleep 0.05; done; "
        "test $(ls ../../../../begun-* | wc -l) -ge 2 && ls > ../../../../seen-$ACD_SESSION_ID"
    )
    isolated.script(
        plan_of(
            {"do": "bash", "command": "echo $ACD_SESSION_ID > own-$ACD_SESSION_ID"},
            {"do": "bash", "command": meet},
            {"do": "feature"},
        )
    )
    ours, theirs = await asyncio.gather(
        isolated.work(), isolated.work(target=other, queue_dir=other_list.parent)
    )
    assert [ours.status, theirs.status] == ["completed", "completed"]
    assert [ours.features_completed, theirs.features_completed] == [1, 1]
    for one, another in ((ours, theirs), (theirs, ours)):
        seen = (isolated.base / f"seen-{one.session_id}").read_text()
        assert f"own-{one.session_id}" in seen
        assert f"own-{another.session_id}" not in seen
        assert (isolated.repository / f"own-{one.session_id}").exists()
    assert '"passes": true' in other_list.read_text()
    assert not list(isolated.repository.glob(".acd*"))
    check_nothing_left(isolated)


async def test_sessions_of_one_target_follow_one_another(isolated: Stage) -> None:
    once = "mkdir ../../../../busy || touch ../../../../overlap; sleep 0.3; rmdir ../../../../busy"
    isolated.script(plan_of({"do": "bash", "command": once}))
    outcomes = await asyncio.gather(*(isolated.work() for _ in range(3)))
    assert [outcome.status for outcome in outcomes] == ["completed"] * 3
    assert not (isolated.base / "overlap").exists()


@pytest.mark.parametrize("keep", ["merge", "ref"])
async def test_commits_of_a_failed_session(isolated: Stage, keep: str) -> None:
    isolated.set(keep_failed_work=keep)
    head = isolated.git("rev-parse", "HEAD")
    isolated.script(plan_of({"do": "feature"}, {"do": "fail", "error": "overloaded"}))
    outcome = await isolated.work()
    assert (outcome.status, outcome.error_type, outcome.commits_made) == ("failed", "overloaded", 1)
    commit = isolated.truth().commits[0]
    if keep == "merge":
        assert isolated.git("rev-parse", "HEAD") == commit
        assert outcome.features_completed == 1
    else:
        assert isolated.git("rev-parse", "HEAD") == head
        kept = isolated.git("rev-parse", f"refs/acd/shop/{outcome.session_id}")
        assert (kept, outcome.features_completed) == (commit, 0)
    check_nothing_left(isolated)


async def test_what_is_not_committed_is_kept_and_not_merged(isolated: Stage) -> None:
    isolated.script(
        plan_of(
            {"do": "feature"},
            {"do": "bash", "command": "echo half > half.txt; rm README.md; git add -N half.txt"},
            {"do": "feature", "commit": False},
        )
    )
    outcome = await isolated.work()
    assert (outcome.status, outcome.commits_made) == ("completed", 1)
    assert outcome.features_completed == 1, "a claim that was not committed goes with its work"
    (kept,) = isolated.only(LeftoversKept)
    assert kept.ref == f"refs/acd/shop/{outcome.session_id}"
    assert (kept.commit, kept.files, kept.left_out) == (isolated.git("rev-parse", kept.ref), 4, {})
    assert isolated.git("rev-parse", f"{kept.ref}^") == isolated.truth().commits[0]
    assert isolated.git("show", f"{kept.ref}:half.txt") == "half"
    assert isolated.git("rev-parse", "HEAD") == isolated.truth().commits[0]
    assert (isolated.repository / "README.md").exists()
    assert isolated.git("status", "--porcelain") == ""
    check_nothing_left(isolated)


async def test_secrets_are_left_out_and_said(isolated: Stage) -> None:
    isolated.script(
        plan_of(
            {
                "do": "bash",
                "command": "echo A=1 > .env; echo x > .env.example; mkdir -p deploy; "
                f"echo 'key = \"{KEY}\"' > deploy/settings.py; touch id_rsa 'my file.txt'; git init -q inner",
            },
            {"do": "feature", "commit": False},
        )
    )
    outcome = await isolated.work()
    (kept,) = isolated.only(LeftoversKept)
    assert set(kept.left_out) == {".env", "deploy/settings.py", "id_rsa", "inner/"}
    assert "key or a token" in kept.left_out["deploy/settings.py"]
    names = isolated.git("ls-tree", "-r", "--name-only", str(kept.ref)).splitlines()
    assert {".env.example", "my file.txt", "features/F1.md"} <= set(names)
    assert not set(kept.left_out) & set(names)
    assert KEY not in isolated.folder.journal.path.read_text()
    assert outcome.status == "completed"


async def test_a_list_that_the_agent_forgot_to_commit(isolated: Stage) -> None:
    """All of the work is committed but the flag: acd commits that, and does not count it among the agent's commits."""
    isolated.script(
        plan_of({"do": "feature", "claim": False}, {"do": "claim_falsely", "commit": False})
    )
    outcome = await isolated.work()
    assert (outcome.status, outcome.features_completed, outcome.commits_made) == ("completed", 1, 1)
    assert isolated.git("log", "-1", "--format=%an") == "acd"
    assert isolated.git("show", "--format=", "--name-only", "HEAD") == "feature_list.json"
    assert isolated.git("rev-parse", "HEAD~1") == isolated.truth().commits[0]
    check_nothing_left(isolated)


async def test_a_list_that_git_does_not_know(stage: Stage) -> None:
    """It lies in the repository and was never committed: it is worked with, and stays uncommitted."""
    stage.set(isolation="worktree")
    stage.write_features()
    stage.git("rm", "-q", "--cached", "feature_list.json")
    stage.commit("Keep the list out", add=False)
    outcome = await stage.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    assert '"passes": true' in (stage.repository / "feature_list.json").read_text()
    assert stage.git("status", "--porcelain") == "?? feature_list.json"
    assert (stage.repository / "features" / "F1.md").exists()


async def test_an_outside_list_that_others_change_meanwhile(isolated: Stage) -> None:
    queue_dir = isolated.base / "queue"
    queue_dir.mkdir()
    shared = queue_dir / "shop.json"
    shared.write_text((isolated.repository / "feature_list.json").read_text())
    target = msgspec.structs.replace(isolated.target, feature_list=str(shared))
    edit = f"sed -i 's/Feature F3/Feature Three/' {shared}"
    isolated.script(plan_of({"do": "bash", "command": edit}, {"do": "feature"}))
    outcome = await isolated.work(target=target, queue_dir=queue_dir)
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    assert "Feature Three" in shared.read_text()
    assert '"passes": true' in shared.read_text()

    edit = f'echo \'[{{"id": "F2", "name": "Another"}}]\' > {shared}'
    isolated.script(plan_of({"do": "bash", "command": edit}, {"do": "feature"}))
    outcome = await isolated.work(target=target, queue_dir=queue_dir, session_number=2)
    assert (outcome.status, outcome.error_type) == ("failed", "config")
    assert (outcome.error_message or "").startswith("its feature list cannot be brought back")
    assert isolated.git("rev-parse", "HEAD") == isolated.truth().commits[-1], "they are merged"
    assert "Another" in shared.read_text()


@pytest.mark.parametrize("detached", [True, False])
async def test_a_detached_head_moves_forward(isolated: Stage, detached: bool) -> None:
    if detached:
        isolated.git("checkout", "-q", "--detach")
    else:  # the branch is checked out nowhere: only the ref moves
        isolated.script(
            plan_of(
                {"do": "bash", "command": f"git -C {isolated.repository} checkout -q -b mine"},
                {"do": "feature"},
            )
        )
    outcome = await isolated.work()
    assert outcome.status == "completed"
    commit = isolated.truth().commits[0]
    assert isolated.git("rev-parse", "HEAD" if detached else "main") == commit
    assert (isolated.git("rev-parse", "HEAD") == commit) is detached
    check_nothing_left(isolated)


async def test_a_bare_repository_is_refused_in_words(isolated: Stage) -> None:
    bare = isolated.base / "bare.git"
    isolated.git("clone", "-q", "--bare", ".", str(bare))
    target = msgspec.structs.replace(isolated.target, path=str(bare))
    outcome = await isolated.work(target=target)
    assert (outcome.status, outcome.error_type) == ("failed", "config")
    assert outcome.error_message is not None
    assert "work tree" in outcome.error_message


async def test_a_target_that_is_a_folder_of_its_repository(isolated: Stage) -> None:
    inner = isolated.repository / "packages" / "shop"
    inner.mkdir(parents=True)
    (isolated.repository / "feature_list.json").rename(inner / "feature_list.json")
    isolated.commit("Move")
    target = msgspec.structs.replace(isolated.target, path=str(inner))
    outcome = await isolated.work(target=target)
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    assert (inner / "features" / "F1.md").exists()
    check_nothing_left(isolated)


async def test_an_agent_that_goes_its_own_way(isolated: Stage) -> None:
    """It begins a branch of its own; its commits count all the same."""
    isolated.script(
        plan_of({"do": "bash", "command": "git checkout -q -b mine"}, {"do": "feature"})
    )
    outcome = await isolated.work()
    assert (outcome.status, outcome.features_completed, outcome.commits_made) == ("completed", 1, 1)
    assert isolated.git("rev-parse", "HEAD") == isolated.truth().commits[0]
    check_nothing_left(isolated)


async def test_nothing_that_the_repository_names_is_run(isolated: Stage) -> None:
    """Hooks, filters, merge drivers, fsmonitor: of the repository's own configuration none is started by acd."""
    ran = isolated.base / "ran"
    spy = isolated.base / "spy.sh"
    spy.write_text(f'#!/bin/sh\necho "$0 $*" >> {ran}\ncat\n')
    spy.chmod(0o755)
    hooks = isolated.base / "hooks"
    hooks.mkdir()
    for name in (
        "post-checkout",
        "post-merge",
        "pre-commit",
        "reference-transaction",
        "post-commit",
    ):
        (hooks / name).symlink_to(spy)
    (isolated.repository / ".gitattributes").write_text("* filter=spy merge=spy\n")
    isolated.commit("Attributes")
    for setting in ("filter.spy.clean", "filter.spy.smudge", "core.fsmonitor", "gpg.program"):
        isolated.git("config", setting, str(spy))
    isolated.git("config", "merge.spy.driver", f"{spy} %A")
    isolated.git("config", "core.hooksPath", str(hooks))
    isolated.git("config", "commit.gpgSign", "true")
    trusting = "git -c core.hooksPath=/dev/null -c commit.gpgSign=false -c filter.spy.clean= -c filter.spy.smudge="
    isolated.script(
        plan_of(
            {
                "do": "bash",
                "command": f"cd {isolated.repository} && echo 0 > README.md && {trusting} "
                "-c user.name=A -c user.email=a@b commit -qam Ours",
            },
            {
                "do": "bash",
                "command": "printf 'four\\n' > features.md; printf 'one\\ntwo\\nthree\\nfour\\n' > x; "
                f"{trusting} add x && {trusting} -c user.name=A -c user.email=a@b commit -qm Theirs; rm -f {ran}",
            },
            {"do": "bash", "command": "echo left > left"},
        )
    )
    outcome = await isolated.work()
    assert (outcome.status, outcome.error_message) == ("completed", None)
    assert isolated.git("-c", "core.fsmonitor=false", "log", "-1", "--format=%s").startswith(
        "Merge"
    )
    assert (isolated.only(LeftoversKept)[0].files, ran.exists()) == (2, False)


async def test_in_place_works_as_before(isolated: Stage) -> None:
    isolated.set(isolation="in-place")
    isolated.script(plan_of({"do": "bash", "command": "pwd > ../cwd"}, {"do": "feature"}))
    outcome = await isolated.work()
    assert outcome.status == "completed"
    assert (isolated.base / "cwd").read_text().strip() == str(isolated.repository)
    assert isolated.only(Delivered) == []
    assert not (isolated.settings.home / "worktrees").exists()


async def test_an_empty_repository_begins_in_its_folder(stage: Stage) -> None:
    stage.set(isolation="worktree")
    assert (await stage.work("initializer")).status == "completed"
    assert stage.only(Started)[0].isolation == "in-place"
    for number, _ in enumerate(FEATURES, start=2):
        assert (await stage.work(session_number=number)).features_completed == 1
        assert stage.only(Started)[0].isolation == "worktree"
    assert stage.git("rev-list", "--count", "HEAD") == "4"


async def test_transcripts_are_found_in_a_worktree(isolated: Stage) -> None:
    isolated.script(plan_of({"do": "feature"}, {"do": "subagent"}, {"do": "sleep", "seconds": 2.5}))
    await isolated.work()
    names = {path.name for path in isolated.folder.transcripts.iterdir()}
    assert f"{isolated.folder.session_id}.jsonl" in names
    assert len(names) == 2
    assert isolated.shown[-1].passing_features == 1
