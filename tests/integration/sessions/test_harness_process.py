"""The agent's process: its exit status."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from acd.files.folder import SessionFolder
from acd.harness.process import exit_code_of, is_alive, start_process

FIRST_THREAD_ENDS = """
import ctypes, os, pathlib, threading, time

def last():
    while not pathlib.Path("gate").exists():
        time.sleep(0.02)
    os._exit(7)

threading.Thread(target=last).start()
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such a program looks alive")
async def test_a_program_whose_first_thread_is_gone_still_has_a_status_to_come(
    tmp_path: Path,
) -> None:
    """Claude Code ends like this after TERM: it looks dead while its other threads are still going."""
    folder = SessionFolder(tmp_path / str(uuid4()))
    folder.create()
    argv = [sys.executable, "-c", FIRST_THREAD_ENDS]
    process = start_process(argv, folder, tmp_path, dict(os.environ))
    async with asyncio.timeout(30):
        while is_alive(psutil.Process(process.pid)):
            await asyncio.sleep(0.02)
    assert not process.exited()
    asking = asyncio.create_task(exit_code_of(process))
    await asyncio.sleep(0.1)
    assert not asking.done()
    (tmp_path / "gate").touch()
    assert await asking == 7
