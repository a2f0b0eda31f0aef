"""The genuine Claude Code under the harness: what only it can show. Its model is the scripted endpoint on loopback."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from acd.agents.registry import load_adapter
from acd.core.facts import Adopted, ProcessStarted
from acd.files.locks import is_held
from acd.harness.recovery import recover
from acd.harness.strays import marked_processes
from acd.harness.version import find_binary
from acd.testing.brain import Brain
from acd.testing.endpoint import Endpoint, Reply, Script, Text, ToolUse
from acd.testing.prices import Tokens
from tests.integration.sessions.stage import Stage, until
from tests.integration.sessions.test_harness_recovery import begin, end

pytestmark = pytest.mark.extra

USAGE = Tokens(17, 19)


def bash(command: str) -> Reply:
    tool = ToolUse(name="Bash", input={"command": command, "description": "do it"})
    return Reply(blocks=[tool], usage=USAGE)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    look = "readlink /proc/self/fd/* > fds; env > environment; setsid sleep 300 > /dev/null 2>&1 &"
    scripts: dict[str, Script] = {
        "brain": Brain(),
        "look": [bash(look), Reply(blocks=[Text(text="Looked.")], usage=USAGE)],
        "slow": [bash("touch ../begun; sleep 3"), Reply(blocks=[Text(text="Slept.")], usage=USAGE)],
    }
    async with Endpoint(scripts) as running:
        yield running


@pytest.fixture
def genuine(ready: Stage, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "fake")
    monkeypatch.setenv("CLAUDE_CODE_MAX_RETRIES", "1")
    monkeypatch.setenv("DATABASE_URL", "canary")
    ready.target = type(ready.target)(
        repo_id="shop", name="Shop", path=ready.target.path, agent="claude-code"
    )
    return ready


async def test_a_feature_from_prompt_to_commit(
    genuine: Stage, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", endpoint.url("brain"))
    adapter = load_adapter("claude-code")
    assert (await find_binary(adapter, genuine.settings)).version
    outcome = await genuine.work()
    assert (outcome.status, outcome.error_message) == ("completed", None)
    assert (outcome.features_completed, outcome.commits_made, outcome.exit_code) == (1, 1, 0)
    assert genuine.git("log", "-1", "--format=%an") == "acd"
    assert len(list(genuine.folder.transcripts.iterdir())) == 2
    assert genuine.living() == []


async def test_what_its_tools_inherit_and_leave(
    genuine: Stage, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands do not hold the lock on the repository, but they carry the mark; what they leave is ended."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", endpoint.url("look"))
    outcome = await genuine.work()
    assert outcome.status == "completed"
    assert str(genuine.repository / ".git") not in (genuine.repository / "fds").read_text()
    environment = (genuine.repository / "environment").read_text()
    assert f"ACD_SESSION_ID={genuine.folder.session_id}" in environment
    assert "canary" not in environment
    assert genuine.living() == []


async def test_it_lives_on_without_its_harness_and_is_adopted(
    genuine: Stage, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", endpoint.url("slow"))
    driver = begin(genuine, genuine.new_plan(), "none")
    await until((genuine.base / "begun").exists)
    driver.kill()
    await asyncio.to_thread(end, driver, -signal.SIGKILL)
    assert is_held(genuine.repository / ".git")
    (process,) = [f for f in genuine.folder.journal.facts() if isinstance(f, ProcessStarted)]
    marked = {found.pid for found in marked_processes(genuine.folder.session_id)}
    assert process.pid in marked
    assert Path(f"/proc/{process.pid}").exists()
    (outcome,) = await recover(genuine.settings, lambda _: None)
    assert (outcome.status, outcome.exit_code) == ("completed", None)
    assert any(isinstance(fact, Adopted) for fact in genuine.facts())
    assert genuine.living() == []
