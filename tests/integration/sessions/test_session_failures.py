"""Sessions that go wrong, each in its own way: the right error, nothing lost, nothing left running."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from acd.agents.registry import load_adapter
from acd.agents.scripted import Scripted
from acd.core.events import Event
from acd.core.facts import Ended, HarnessFailed, LimitHit, ProcessStarted, Started
from acd.core.models import ErrorType, Target
from acd.harness.recovery import recover
from tests.integration.sessions.stage import Stage, Step, is_gone, plan_of, until

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra


@pytest.mark.parametrize(
    ("error", "error_type", "retryable"),
    [
        ("auth", "auth", False),
        ("billing", "billing", False),
        ("rate_limit", "rate_limit", True),
        ("overloaded", "overloaded", True),
        ("server", "server", True),
        ("network", "network", True),
        ("model", "model", False),
        ("context", "context", True),
        ("output_limit", "output_limit", True),
        ("max_turns", "max_turns", True),
        ("budget", "budget", True),
    ],
)
async def test_what_the_agent_says_went_wrong(
    ready: Stage, error: str, error_type: ErrorType, retryable: bool
) -> None:
    ready.script(plan_of({"do": "feature"}, {"do": "fail", "error": error}))
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", error_type)
    assert (outcome.retryable, outcome.exit_code) == (retryable, 1)
    assert outcome.error_message
    assert (outcome.features_completed, outcome.commits_made) == (1, 1)
    assert ready.only(HarnessFailed) == []  # it stands in the stream


async def test_a_subscription_limit_says_when_it_ends(ready: Stage) -> None:
    ready.script(plan_of({"do": "fail", "error": "usage_limit", "resets_in": 900}))
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", "usage_limit")
    assert outcome.retryable
    assert outcome.resets_at is not None
    assert 800 < (outcome.resets_at - datetime.now(UTC)).total_seconds() <= 901
    (hit,) = ready.only(LimitHit)
    assert (hit.window, hit.resets_at) == ("five_hour", outcome.resets_at)


@pytest.mark.parametrize(
    ("step", "error_type", "exit_code"),
    [
        ({"do": "exit", "code": 3}, "unknown", 3),
        ({"do": "exit", "code": 0}, "unknown", 0),
        ({"do": "exit", "signal": "KILL"}, "killed", -9),
        ({"do": "exit", "signal": "SEGV"}, "killed", -11),
        ({"do": "bash", "command": "kill -TERM $PPID; sleep 5"}, "killed", 143),
    ],
)
async def test_an_agent_that_is_gone_without_a_result(
    ready: Stage, step: Step, error_type: ErrorType, exit_code: int
) -> None:
    ready.script(plan_of({"do": "feature"}, step))
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", error_type)
    assert (outcome.exit_code, outcome.retryable) == (exit_code, True)
    assert outcome.features_completed == 1
    (failed,) = ready.only(HarnessFailed)
    assert (failed.error_type, failed.message) == (error_type, outcome.error_message)


async def test_an_agent_that_does_not_start_says_why(ready: Stage) -> None:
    message = "error: unknown option\nwith token sk-ant-api03-canary00000000"
    ready.script(plan_of({"do": "config_error", "message": message}))
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", "config")
    assert (outcome.retryable, outcome.exit_code) == (False, 1)
    assert outcome.error_message is not None
    assert "unknown option" in outcome.error_message
    assert "canary" not in ready.folder.journal.path.read_text()


async def test_a_program_that_is_not_there(ready: Stage) -> None:
    ready.set(claude_binary=ready.base / "nowhere")
    (ready.base / "nowhere").write_text("#!/nonexistent/interpreter\n")
    (ready.base / "nowhere").chmod(0o755)
    outcome = await ready.work(adapter=load_adapter("claude-code"))
    assert (outcome.status, outcome.error_type) == ("failed", "config")
    (failed,) = ready.only(HarnessFailed)
    assert f"{ready.base / 'nowhere'} cannot be started" in failed.message
    assert ready.only(ProcessStarted) == []


class MistakenAdapter(Scripted):
    """An adapter with a mistake in it."""

    def read_stream(self, line: bytes) -> list[Event]:
        raise ZeroDivisionError("a mistake")


async def test_a_mistake_of_ours_is_told_with_its_trace(ready: Stage) -> None:
    """And the agent does not go on unattended."""
    ready.script(plan_of({"do": "say"}, {"do": "hang"}))
    outcome = await ready.work(adapter=MistakenAdapter())
    assert (outcome.status, outcome.error_type) == ("failed", "internal")
    (failed,) = ready.only(HarnessFailed)
    assert failed.stack_trace is not None
    assert "in read_stream" in failed.stack_trace
    assert ready.living() == []


async def test_silence(ready: Stage) -> None:
    ready.set(silence_timeout=0.8)
    ready.script(plan_of({"do": "feature"}, {"do": "hang"}))
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", "stalled")
    assert (outcome.exit_code, outcome.features_completed) == (143, 1)


async def test_an_agent_that_talks_on_is_not_silent(ready: Stage) -> None:
    ready.set(silence_timeout=1.5)
    words: list[Step] = [{"do": "say"}, {"do": "sleep", "seconds": 0.5}] * 5
    ready.script(plan_of(*words))
    outcome = await ready.work()
    assert outcome.status == "completed"


async def test_a_session_may_not_take_for_ever(ready: Stage) -> None:
    ready.set(session_timeout=1)
    words: list[Step] = [{"do": "say"}, {"do": "sleep", "seconds": 0.2}] * 60
    ready.script(plan_of({"do": "feature"}, *words))
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", "timeout")
    assert outcome.features_completed == 1


async def test_an_agent_that_lingers_after_its_result_has_ended_well(ready: Stage) -> None:
    ready.set(result_timeout=0.5)
    ready.script(plan_of({"do": "feature"}, {"do": "hang", "when": "after_result"}))
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type, outcome.exit_code) == ("completed", None, 143)


async def test_an_agent_that_lingers_after_its_failure_has_failed(ready: Stage) -> None:
    ready.set(result_timeout=0.5)
    ready.script(plan_of({"do": "hang", "when": "after_result"}, {"do": "fail", "error": "server"}))
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", "server")


async def test_an_agent_that_is_deaf_to_term_is_killed(ready: Stage) -> None:
    ready.set(silence_timeout=0.5, terminate_grace=0.5)
    ready.script(plan_of({"do": "feature"}, {"do": "hang", "ignore_signals": True}))
    outcome = await ready.work()
    assert (outcome.error_type, outcome.exit_code) == ("stalled", -9)
    assert ready.living() == []


async def test_deaf_descendants_that_moved_away_are_killed(ready: Stage) -> None:
    ready.set(terminate_grace=0.5)
    ready.script(
        plan_of(
            {"do": "grandchild", "ignore_term": True},
            {"do": "grandchild", "detached": True, "ignore_term": True},
            {"do": "bash", "command": "setsid sh -c 'kill -STOP $$' > /dev/null 2>&1 &"},
            {"do": "exit", "signal": "KILL"},
        )
    )
    outcome = await ready.work()
    assert outcome.error_type == "killed"
    assert all(is_gone(pid) for pid in ready.truth().left_behind)
    assert ready.living() == []


@pytest.mark.parametrize("limit", [200, pytest.param(1000, marks=pytest.mark.long)])
async def test_a_flood_is_ended_and_costs_no_memory(ready: Stage, limit: int) -> None:
    ready.set(output_limit=limit * 1024**2)
    ready.script(plan_of({"do": "feature"}, {"do": "flood", "bytes": 8 * 1024**3}))
    process = psutil.Process()
    before = process.memory_info().rss
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", "output_limit")
    assert outcome.features_completed == 1
    assert process.memory_info().rss - before < 64 * 1024**2


async def test_how_a_flood_ended_is_seen(ready: Stage) -> None:
    """The end of a stream that ran ahead of us stands at its end."""
    ready.script(plan_of({"do": "flood", "bytes": 150 * 1024**2}, {"do": "feature"}))
    outcome = await ready.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 1)


async def test_stopped_in_order(ready: Stage) -> None:
    ready.script(plan_of({"do": "feature"}, {"do": "hang"}))
    stop = asyncio.Event()
    session = asyncio.create_task(ready.work(stop=stop))
    await until(lambda: any(live.requests >= 3 for live in ready.shown))
    stop.set()
    outcome = await session
    assert (outcome.status, outcome.error_type) == ("failed", "interrupted")
    assert (outcome.exit_code, outcome.features_completed) == (143, 1)


async def test_stopped_at_once(ready: Stage) -> None:
    """Cancelling kills, and the end is still written."""
    ready.script(plan_of({"do": "feature"}, {"do": "hang", "ignore_signals": True}))
    session = asyncio.create_task(ready.work())
    await until(lambda: any(live.requests >= 3 for live in ready.shown))
    session.cancel()
    with pytest.raises(asyncio.CancelledError):
        await session
    (ended,) = ready.only(Ended)
    assert (ended.status, ended.error_type, ended.exit_code) == ("failed", "interrupted", -9)
    assert ended.features_completed == 1
    assert ready.living() == []


async def test_a_list_that_is_broken_afterwards_is_put_back(ready: Stage) -> None:
    ready.script(plan_of({"do": "half_list"}))
    outcome = await ready.work()
    assert (outcome.status, outcome.features_after) == ("completed", 0)
    assert (outcome.features_completed, outcome.total_features) == (0, 3)
    (failed,) = ready.only(HarnessFailed)
    assert failed.error_type == "tampering"
    assert "no valid JSON" in failed.message
    assert ready.git("status", "--porcelain") == ""


async def test_a_list_that_is_broken_before(ready: Stage) -> None:
    (ready.repository / "feature_list.json").write_text("[")
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", "config")
    assert ready.only(ProcessStarted) == []


async def test_an_initializer_that_leaves_no_list_has_failed(stage: Stage) -> None:
    stage.script(initializer=[plan_of({"do": "say"})])
    outcome = await stage.work("initializer")
    assert (outcome.status, outcome.error_type, outcome.exit_code) == ("failed", "config", 0)
    (failed,) = stage.only(HarnessFailed)
    assert "no feature list" in failed.message


async def test_a_coding_session_needs_a_list(stage: Stage) -> None:
    outcome = await stage.work()
    assert (outcome.status, outcome.error_type) == ("failed", "config")
    assert stage.only(ProcessStarted) == []
    assert len(stage.only(HarnessFailed)) == 1


async def test_a_folder_that_is_no_repository(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    target = Target(repo_id="plain", name="Plain", path=str(tmp_path / "plain"), agent="scripted")
    outcome = await stage.work(target=target)
    assert (outcome.status, outcome.error_type) == ("failed", "config")
    assert outcome.error_message is not None
    assert "not a git repository" in outcome.error_message
    assert stage.only(Started)[0].git_common_dir is None
    assert stage.only(ProcessStarted) == []


async def test_no_git_at_all(ready: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(ready.base))
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", "config")
    assert outcome.error_message is not None
    assert "git is not installed" in outcome.error_message


async def test_a_repository_that_vanishes_under_the_agent(ready: Stage) -> None:
    ready.script(plan_of({"do": "feature"}, {"do": "bash", "command": "rm -rf .git"}))
    outcome = await ready.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    (failed,) = ready.only(HarnessFailed)
    assert "not a git repository" in failed.message


async def test_no_session_without_free_space(ready: Stage) -> None:
    ready.set(free_space_floor=2**60)
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type) == ("failed", "disk_full")
    assert outcome.retryable
    assert not ready.folder.path.exists()


async def test_a_journal_that_cannot_be_written_leaves_the_session_to_the_next_harness(
    ready: Stage,
) -> None:
    """The agent puts a folder in the journal's place; nothing of the agent is left all the same."""
    journal = "../home/sessions/$ACD_SESSION_ID/journal.jsonl"
    swap = f"mv {journal} ../journal && mkdir {journal}"
    ready.script(plan_of({"do": "feature"}, {"do": "bash", "command": swap}))
    with pytest.raises(IsADirectoryError):
        await ready.work()
    assert ready.living() == []
    ready.folder.journal.path.rmdir()
    (ready.base / "journal").replace(ready.folder.journal.path)
    (outcome,) = await recover(ready.settings, lambda _: None)
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    assert ready.only(Ended)[0].status == "completed"


async def test_the_mark_is_unique_to_its_session(ready: Stage) -> None:
    """Ending one session's processes leaves another session's alone."""
    ready.set(silence_timeout=0.6)
    other = Stage.build(ready.base / "other")
    other.write_features()
    other.script(plan_of({"do": "feature"}, {"do": "sleep", "seconds": 2}))
    ready.script(plan_of({"do": "hang"}))
    theirs, ours = await asyncio.gather(other.work(), ready.work())
    assert (theirs.status, ours.error_type) == ("completed", "stalled")
    assert os.getpid() not in ready.living()
