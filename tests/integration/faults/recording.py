"""`python -m tests.integration.faults.recording HOME URL [NAME=NUMBER …]`: record what the folders of HOME hold, in a process of its own.

Prints one JSON object: `settled`, and in bytes what memory the process had after recording the first folder (`warm`),
when everything is loaded and nothing big has come yet, and the most that it ever had (`peak`). Each NAME is a limit
of `acd.files.lines` to be changed, for controls.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import psutil

from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.files import lines
from acd.files.folder import session_folders
from acd.ledger.recorder import Recorder

DEADLINE = 3000.0
ROOT = Path(__file__).parents[3]


class Recorded(NamedTuple):
    """What the process prints."""

    settled: bool
    warm: int
    peak: int


def record_apart(home: Path, url: str, **limits: int) -> Recorded:
    """Run this module."""
    argv = [sys.executable, "-m", "tests.integration.faults.recording", str(home), url]
    argv += [f"{name}={number}" for name, number in limits.items()]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Recorded(**json.loads(done.stdout))


async def record(home: Path, url: str) -> Recorded:
    settings = Settings(home=home, database_url=url)
    folders = sorted(session_folders(settings.sessions_dir), key=lambda folder: folder.path)
    async with (
        open_database(settings, application="recording", migrate=False) as database,
        Recorder(database, settings) as recorder,
    ):
        recorder.ring(folders[0])
        settled = await recorder.settle(DEADLINE)
        warm = psutil.Process().memory_info().rss
        for folder in folders[1:]:
            recorder.ring(folder)
        settled &= await recorder.settle(DEADLINE)
    return Recorded(settled, warm, most_memory())


def most_memory() -> int:
    """Bytes. Linux hands `ru_maxrss` down to children through fork and exec, so that it may be the test's own."""
    status = Path("/proc/self/status")
    if status.exists():
        [peak] = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: bytes, its own


if __name__ == "__main__":
    for limit in sys.argv[3:]:
        name, number = limit.split("=")
        setattr(lines, name, int(number))
    print(json.dumps(asyncio.run(record(Path(sys.argv[1]), sys.argv[2]))._asdict()))
