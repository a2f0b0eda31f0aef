"""Sessions that go well: what they do, what they leave, what the agent gets to see."""

from __future__ import annotations

import asyncio
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acd.core.facts import CommitSeen, Ended, FeatureChanged, FeaturesSeen, ProcessStarted, Started
from acd.core.models import Target
from tests.integration.sessions.stage import FEATURES, Stage, environment_of, is_gone, plan_of


async def test_from_an_empty_repository_to_the_last_feature(stage: Stage) -> None:
    outcome = await stage.work("initializer")
    assert (outcome.status, outcome.total_features, outcome.passing_features) == ("completed", 3, 0)
    assert (outcome.features_before, outcome.features_after, outcome.commits_made) == (0, 0, 1)
    assert [(c.key, c.change) for c in stage.only(FeatureChanged)] == [
        (key, "added") for key in FEATURES
    ]
    (started,) = stage.only(Started)
    assert (started.head_before, started.branch, started.model) == (None, "main", "sonnet")

    for number, key in enumerate(FEATURES, start=1):
        head = stage.git("rev-parse", "HEAD")
        outcome = await stage.work(session_number=number + 1)
        assert (outcome.status, outcome.exit_code) == ("completed", 0)
        assert (outcome.features_before, outcome.features_after) == (number - 1, number)
        assert (outcome.features_completed, outcome.total_features) == (1, 3)
        facts = stage.facts()
        assert [type(fact).__name__ for fact in facts] == [
            "Started",
            "FeaturesSeen",
            "ProcessStarted",
            "FeaturesSeen",
            "FeatureChanged",
            "CommitSeen",
            "Ended",
        ]
        (change,) = stage.only(FeatureChanged)
        assert (change.key, change.change, change.status) == (key, "claimed", "passing")
        assert [fact.commit.sha for fact in stage.only(CommitSeen)] == stage.truth().commits
        (ended,) = stage.only(Ended)
        assert ended.head_after == stage.git("rev-parse", "HEAD") != head
        assert ended.duration_ms is not None
        assert 0 < ended.duration_ms < 20_000
        assert ended.stream_offset == stage.folder.stream.stat().st_size
    assert stage.living() == []


async def test_what_the_files_are(ready: Stage) -> None:
    ready.script(
        plan_of(
            {"do": "bash", "command": "ls -l /proc/self/fd > fds; cat /proc/self/fdinfo/1 > one"}
        )
    )
    await ready.work()
    folder = ready.folder
    for path in (folder.path, folder.transcripts):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (folder.stream, folder.stderr, folder.journal.path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (transcript,) = folder.transcripts.iterdir()
    assert transcript.name == f"{folder.session_id}.jsonl"
    assert b"cost-state" in transcript.read_bytes()
    assert folder.stream.read_bytes().count(b'"type":"result"') == 1


async def test_the_agent_itself_is_cut_off_from_us(ready: Stage) -> None:
    """Its own process session, stdin closed, output appended to files; only allowed variables."""
    ready.script(
        plan_of(
            {
                "do": "bash",
                "command": "p=$PPID; env -0 > env; readlink /proc/$p/fd/0 /proc/$p/fd/1 /proc/$p/fd/2 > fds;"
                " grep flags /proc/$p/fdinfo/1 > flags; ps -o sid=,pgid= -p $p > sid",
            }
        )
    )
    await ready.work()
    here, folder = ready.repository, ready.folder
    (process,) = ready.only(ProcessStarted)
    fds = (here / "fds").read_text().split()
    assert fds == ["/dev/null", str(folder.stream), str(folder.stderr)]
    assert int((here / "flags").read_text().split()[1], 8) & os.O_APPEND
    assert (here / "sid").read_text().split() == [str(process.pid)] * 2
    assert environment_of(here / "env")["ACD_SESSION_ID"] == str(folder.session_id)


async def test_secrets_of_ours_do_not_reach_the_agent(
    ready: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "ACD_TOKEN", "AWS_SECRET_ACCESS_KEY", "ANTHROPIC_API_KEY", "X"):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("WANTED", "wanted")
    monkeypatch.setenv("https_proxy", "proxy")
    monkeypatch.setenv("SCRIPTED_EXTRA", "own")
    ready.set(agent_env="WANTED, DATABASE_URL")
    ready.script(plan_of({"do": "bash", "command": "env -0 > env"}))
    await ready.work()
    seen = environment_of(ready.repository / "env")
    assert "canary" not in seen.values()
    assert (seen["WANTED"], seen["https_proxy"], seen["SCRIPTED_EXTRA"]) == (
        "wanted",
        "proxy",
        "own",
    )
    assert seen["TERM"] == "dumb"
    for path in ready.folder.path.rglob("*.jsonl"):
        assert b"canary" not in path.read_bytes()


async def test_commits_have_an_author_in_an_empty_home(ready: Stage) -> None:
    await ready.work()
    assert ready.git("log", "-1", "--format=%an <%ae>%cn <%ce>") == "acd <acd@localhost>" * 2
    (commit,) = ready.only(CommitSeen)
    assert commit.commit.author == "acd <acd@localhost>"


async def test_an_identity_that_is_there_is_used(ready: Stage, empty_home: Path) -> None:
    (empty_home / ".gitconfig").write_text("[user]\nname = Ada\nemail = ada@example.org\n")
    await ready.work()
    assert ready.git("log", "-1", "--format=%an <%ae>") == "Ada <ada@example.org>"


async def test_subagents_leave_transcripts_of_their_own(ready: Stage) -> None:
    ready.script(plan_of({"do": "feature"}, {"do": "subagent", "model": "haiku"}))
    await ready.work()
    names = sorted(path.name for path in ready.folder.transcripts.iterdir())
    assert len(names) == 2
    assert any(name.startswith("agent-") for name in names)


async def test_the_live_state_follows(ready: Stage) -> None:
    ready.script(plan_of({"do": "feature"}, {"do": "sleep", "seconds": 0.5}))
    await ready.work()
    live = ready.shown[-1]
    truth = ready.truth()
    assert live.requests == truth.sum.requests
    assert live.usage.input_tokens == sum(
        total.tokens.input_tokens for total in truth.models.values()
    )
    assert (live.last_tool, live.model) == ("Bash", "claude-sonnet-5-5")
    assert live.printed == ready.folder.stream.stat().st_size
    assert (live.total_features, live.report is not None) == (3, True)
    assert set(ready.rings) == {ready.folder.session_id}


async def test_a_list_beside_the_queue_file(stage: Stage) -> None:
    queue_dir = stage.base / "queue"
    queue_dir.mkdir()
    target = Target(
        repo_id="shop",
        name="Shop",
        path=str(stage.repository),
        agent="scripted",
        feature_list=str(queue_dir / "shop.json"),
    )
    outcome = await stage.work("initializer", target=target, queue_dir=queue_dir)
    assert (outcome.status, outcome.total_features) == ("completed", 3)
    outcome = await stage.work(target=target, queue_dir=queue_dir)
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    assert not (stage.repository / "feature_list.json").exists()


async def test_a_detached_dirty_repository_with_a_locked_index(ready: Stage) -> None:
    ready.git("checkout", "-q", "--detach")
    (ready.repository / "dirt").write_text("dirt")
    (ready.repository / ".git" / "index.lock").touch()
    ready.script(plan_of({"do": "say"}))
    outcome = await ready.work()
    assert (outcome.status, outcome.commits_made) == ("completed", 0)
    (started,) = ready.only(Started)
    assert started.branch is None
    assert started.head_before == ready.git("rev-parse", "HEAD")


async def test_tampering_shows_feature_by_feature(ready: Stage) -> None:
    ready.script(
        plan_of({"do": "feature"}, {"do": "feature"}),
        plan_of(
            {"do": "unclaim", "key": "F1"},
            {"do": "reword_feature", "key": "F2"},
            {"do": "delete_feature", "key": "F3"},
        ),
    )
    await ready.work()
    outcome = await ready.work()
    assert [(c.key, c.change) for c in ready.only(FeatureChanged)] == [
        ("F1", "regressed"),
        ("F2", "tampering"),
        ("F3", "tampering"),
        ("F2", "restored"),
        ("F3", "restored"),
    ]
    assert (outcome.features_before, outcome.features_after) == (2, 1)
    assert (outcome.features_completed, outcome.total_features) == (-1, 3)


async def test_broken_lines_harm_nobody(ready: Stage) -> None:
    kinds = ["nul", "bom", "truncated", "deep", "invalid_utf8", "unknown_type", "long"]
    ready.script(plan_of({"do": "broken", "kinds": kinds}, {"do": "feature"}))
    outcome = await ready.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 1)


async def test_the_features_seen_are_the_whole_list(ready: Stage) -> None:
    await ready.work()
    before, after = ready.only(FeaturesSeen)
    assert [f.key for f in before.features] == [f.key for f in after.features] == list(FEATURES)
    assert before.commit == ready.only(Started)[0].head_before


async def test_sessions_on_one_repository_follow_one_another(ready: Stage) -> None:
    """Two targets that share a repository, one by way of a worktree."""
    once = "mkdir ../busy || touch ../overlap; sleep 0.4; rmdir ../busy"
    ready.script(plan_of({"do": "bash", "command": once}))
    ready.git("worktree", "add", "-q", str(ready.base / "tree"))
    other = Target(repo_id="tree", name="Tree", path=str(ready.base / "tree"), agent="scripted")
    outcomes = await asyncio.gather(*(ready.work(target=t) for t in (ready.target, other) * 2))
    assert [outcome.status for outcome in outcomes] == ["completed"] * 4
    assert not (ready.base / "overlap").exists()


async def test_a_deadline_ends_the_session(ready: Stage) -> None:
    ready.script(plan_of({"do": "hang"}))
    outcome = await ready.work(deadline=datetime.now(UTC) + timedelta(seconds=1))
    assert (outcome.status, outcome.error_type) == ("failed", "timeout")


async def test_no_process_outlives_its_session(ready: Stage) -> None:
    ready.script(
        plan_of({"do": "grandchild"}, {"do": "grandchild", "detached": True}, {"do": "feature"})
    )
    outcome = await ready.work()
    assert outcome.status == "completed"
    left = ready.truth().left_behind
    assert len(left) == 2
    assert all(is_gone(pid) for pid in left)
    assert ready.living() == []
