"""Locks between real processes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from acd.core.errors import Busy
from acd.files.locks import hold, is_held, wait_for

HOLDER = """
import sys, time
from pathlib import Path
from acd.files.locks import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def start_holder(path: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def kill(holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.communicate(timeout=20)


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path: Path, is_folder: bool) -> None:
    path = tmp_path / "lock"
    if is_folder:
        path.mkdir()
    holder = start_holder(path)
    try:
        assert is_held(path)
        with pytest.raises(Busy, match="in use"), hold(path):
            pass
    finally:
        kill(holder)
    assert not is_held(path)
    with hold(path):
        assert is_held(path)
    assert not is_held(path)


async def test_waiting_for_a_lock_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = start_holder(path)

    async def take() -> bool:
        async with wait_for(path, poll=0.02):
            return True

    waiting = asyncio.create_task(take())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    kill(holder)
    assert await asyncio.wait_for(waiting, 20)


def test_a_child_that_inherits_the_descriptor_holds_on(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold(path) as descriptor:
        child = subprocess.Popen(["sleep", "60"], pass_fds=[descriptor])
    try:
        assert is_held(path)
    finally:
        child.kill()
        child.wait(timeout=20)
    assert not is_held(path)


async def test_one_winner_in_every_race(tmp_path: Path) -> None:
    """Many that want it at once: never two at a time, and everyone gets it."""
    path, inside, order = tmp_path / "lock", [0], []

    async def take(number: int) -> None:
        async with wait_for(path, poll=0.001):
            inside[0] += 1
            assert inside[0] == 1
            await asyncio.sleep(0.001)
            order.append(number)
            inside[0] -= 1

    await asyncio.gather(*(take(number) for number in range(50)))
    assert sorted(order) == list(range(50))


def test_a_lock_that_was_never_made_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
