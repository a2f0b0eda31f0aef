"""Processes: starting, watching, ending, asking for a version; with real ones."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from acd.agents.registry import load_adapter
from acd.core.errors import AgentMissing, AgentTooOld
from acd.core.models import Target
from acd.core.settings import Settings
from acd.files.folder import SessionFolder
from acd.harness.environment import MARK
from acd.harness.live import LiveState
from acd.harness.process import ChildProcess, FoundProcess, start_process
from acd.harness.strays import end_processes, leader_of, marked_processes
from acd.harness.stream import StreamFollower
from acd.harness.version import find_binary
from acd.harness.watch import EndReason, Limits, Watch

LONG = 10.0**6
WIDE = Limits(
    session=LONG, silence=LONG, after_result=LONG, output=2**60, free_space=0, denials=1000
)


class Agents:
    """Starts shell scripts as agents; ends what a failing test leaves."""

    def __init__(self, base: Path) -> None:
        self.folder = SessionFolder(base / str(uuid4()))
        self.folder.create()
        self.started: list[ChildProcess] = []

    def start(self, script: str) -> ChildProcess:
        environment = {"PATH": os.environ["PATH"], MARK: str(self.folder.session_id)}
        argv = ["sh", "-c", script]
        process = start_process(argv, self.folder, self.folder.path, environment)
        self.started.append(process)
        return process

    def watch(self, process: ChildProcess | FoundProcess, **limits: Any) -> Watch:  # noqa: ANN401
        target = Target(repo_id="r", name="R", path="/r")
        live = LiveState(
            session_id=self.folder.session_id, target=target, session_type="coding", model="opus"
        )
        return Watch(
            process=process,
            folder=self.folder,
            follower=StreamFollower(self.folder.stream, lambda _: [], live),
            live=live,
            limits=replace(WIDE, **limits),
            stop=asyncio.Event(),
            on_output=lambda: None,
            on_tick=lambda: None,
        )

    async def end(self, grace: float = 5) -> list[int]:
        return await end_processes(self.folder.session_id, grace)


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[Agents]:
    made = Agents(tmp_path)
    yield made
    for process in marked_processes(made.folder.session_id):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    while not all(process.exited() for process in made.started):
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("script", "limits", "reason"),
    [
        ("exit 3", {}, "exited"),
        ("sleep 60", {"session": 0.3}, "timeout"),
        ("sleep 60", {"silence": 0.3}, "silent"),
        (
            "while :; do echo noise >&2; sleep 0.05; done",
            {"silence": 5.0, "session": 1.0},
            "timeout",
        ),
        ("yes | head -c 9000; sleep 60", {"output": 5000}, "flooded"),
        ("yes | head -c 9000 >&2; sleep 60", {"output": 5000}, "flooded"),
        ("sleep 60", {"free_space": 2**60}, "disk_full"),
    ],
)
async def test_why_watching_ends(
    agents: Agents, script: str, limits: dict[str, float], reason: EndReason
) -> None:
    process = agents.start(script)
    assert await agents.watch(process, **limits).until_end() == reason
    assert await agents.end() == []
    assert process.exited()


async def test_watching_ends_when_it_is_asked_to(agents: Agents) -> None:
    watch = agents.watch(agents.start("sleep 60"))
    watch.stop.set()
    assert await watch.until_end() == "stopped"
    await agents.end()


async def test_watching_costs_next_to_nothing(agents: Agents) -> None:
    watch = agents.watch(agents.start("sleep 2"))
    before = time.process_time()
    assert await watch.until_end() == "exited"
    assert (
        time.process_time() - before < 0.02 * 2 * 2
    )  # 2 % of a core, twice over for a busy machine


async def test_one_that_is_not_our_child_is_seen_to_its_end(agents: Agents) -> None:
    process = agents.start("sleep 0.5; exit 4")
    found = FoundProcess(psutil.Process(process.pid))
    assert not found.exited()
    assert await agents.watch(found).until_end() == "exited"
    assert found.exit_code is None
    assert found.exited()  # although it is a zombie until we reap it
    assert process.exit_code == 4


async def test_everything_with_the_mark_is_ended(agents: Agents) -> None:
    script = "sleep 60 & setsid sleep 60 & (setsid sh -c 'sleep 60 & sleep 60') & sleep 60"
    process = agents.start(script)
    while len(found := marked_processes(agents.folder.session_id)) < 6:
        await asyncio.sleep(0.02)
    leader = leader_of(found)
    assert leader is not None
    assert leader.pid == process.pid
    assert await agents.end() == []
    assert marked_processes(agents.folder.session_id) == []
    assert process.exit_code is not None


async def test_term_comes_first_and_kill_after_the_grace(agents: Agents) -> None:
    polite = agents.start("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done")
    while b"up" not in agents.folder.stream.read_bytes():
        await asyncio.sleep(0.02)
    await agents.end()
    assert (polite.exit_code, agents.folder.stream.read_bytes()) == (0, b"up\nbye\n")

    deaf = agents.start("trap '' TERM; echo deaf; while :; do sleep 0.05; done")
    while b"deaf" not in agents.folder.stream.read_bytes():
        await asyncio.sleep(0.02)
    began = time.monotonic()
    await agents.end(grace=0.5)
    assert deaf.exit_code == -9
    assert time.monotonic() - began >= 0.5


async def test_those_that_fork_on_and_on_are_ended(agents: Agents) -> None:
    agents.start(
        "f() { setsid sh -c 'trap \"\" TERM; sleep 60' & }; while :; do f; sleep 0.05; done"
    )
    while len(marked_processes(agents.folder.session_id)) < 5:
        await asyncio.sleep(0.02)
    assert await agents.end(grace=0.3) == []
    assert marked_processes(agents.folder.session_id) == []


def test_a_harness_that_hides_cannot_be_read_by_its_children() -> None:
    """In a process of its own, as it cannot be undone; what is asked back is the kernel's word."""
    code = (
        "import ctypes\n"
        "from acd.harness.process import hide_from_children\n"
        "hide_from_children()\n"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"  # PR_GET_DUMPABLE
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "0"


def _program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


async def test_versions_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "canary")
    adapter = load_adapter("claude-code")
    seen = tmp_path / "seen"
    good = _program(tmp_path / "good", f'env > {seen}; echo "2.1.330 (Claude Code)"')
    binary = await find_binary(adapter, Settings(home=tmp_path, claude_binary=good))
    assert (binary.argv, binary.version) == ([str(good)], "2.1.330")
    assert "canary" not in seen.read_text()

    old = _program(tmp_path / "old", "echo 1.0.3")
    with pytest.raises(AgentTooOld, match=r"1\.0\.3"):
        await find_binary(adapter, Settings(home=tmp_path, claude_binary=old))

    broken = tmp_path / "broken"
    broken.write_text("#!/nonexistent/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(AgentMissing, match="cannot be started"):
        await find_binary(adapter, Settings(home=tmp_path, claude_binary=broken))


async def test_an_agent_without_a_version_is_not_started(tmp_path: Path) -> None:
    binary = await find_binary(load_adapter("scripted"), Settings(home=tmp_path))
    assert binary.version is None
