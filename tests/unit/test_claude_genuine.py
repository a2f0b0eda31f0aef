"""The genuine CLI takes our command line, and what it leaves is found and read. It talks to a port where nobody is."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from acd.agents.claude_code import ClaudeCode
from acd.agents.protocol import Launch
from acd.agents.version import checked
from acd.core.events import AgentFailed, AgentStarted, Reported, Retried, TextSaid
from acd.core.settings import Settings
from acd.files.folder import SessionFolder

pytestmark = pytest.mark.extra


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that is taken but not listened on: whoever connects is refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        yield port


@pytest.mark.parametrize("prompt", ["do it", "- one\n- two"])
def test_our_command_line(tmp_path: Path, deaf_port: int, prompt: str) -> None:
    adapter = ClaudeCode()
    settings = Settings(home=tmp_path, claude_config_dir=tmp_path / "config")
    workspace = tmp_path / "some_repo.with-odd_name"
    workspace.mkdir()
    clean = {"PATH": os.defpath, "HOME": str(tmp_path), "LANG": "C.UTF-8", "TERM": "dumb"}

    binary = adapter.find(settings)
    asked = subprocess.run(
        [*binary.argv, "--version"],
        env=clean,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    binary = checked(adapter, binary, asked.stdout)

    launch = Launch(
        session_id=uuid4(),
        session_type="coding",
        prompt=prompt,
        model="sonnet",
        workspace=workspace,
        session_dir=tmp_path,
        fallback_model="haiku",
        budget_usd=0.5,
        max_turns=5,
    )
    SessionFolder(launch.session_dir).keep(adapter.session_files(launch, settings))
    endpoint = {
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{deaf_port}",
        "ANTHROPIC_API_KEY": "fake",
        "CLAUDE_CODE_MAX_RETRIES": "1",
    }
    ended = subprocess.run(
        adapter.command(binary, launch, settings),
        env=clean | endpoint | dict(adapter.environment(launch, settings)),
        cwd=workspace,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )

    events = [event for line in ended.stdout.splitlines() for event in adapter.read_stream(line)]
    assert ended.returncode == 1, ended.stderr
    assert isinstance(events[0], AgentStarted)
    assert events[0].agent_session_id == str(launch.session_id)
    assert events[0].cwd == str(workspace)
    assert [e.error_type for e in events if isinstance(e, Retried)] == ["network"]
    assert [e.error_type for e in events if isinstance(e, AgentFailed)] == ["network"]
    assert isinstance(events[-1], Reported)
    assert (events[-1].final, events[-1].ok, events[-1].error_type) == (True, False, "network")

    (kept,) = adapter.transcripts(str(launch.session_id), workspace, settings)
    told = [e for line in kept.read_bytes().splitlines() for e in adapter.read_transcript(line)]
    assert [e.error_type for e in told if isinstance(e, AgentFailed)] == ["network"]
    assert [e.text.strip() for e in told if isinstance(e, TextSaid)] == [prompt]
