"""`python -m tests.integration.faults.agent STREAM SESSION SEED`: append a line to STREAM every few milliseconds until
stdin ends, then print how many there were. What it tells is what a `Teller` of that session and seed tells.
"""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from acd.files.folder import SessionFolder
from acd.ledger.recorder import Recorder
from tests.integration.faults.lines import Ledger, Teller

_PAUSE = 0.005
_RING = 0.05
_SEED = 12
_ROOT = Path(__file__).parents[3]


@dataclass
class Agent:
    """The process, seen from the test."""

    folder: SessionFolder
    session: int
    process: subprocess.Popen[bytes]

    @property
    def written(self) -> int:
        """Bytes so far."""
        return self.folder.stream.stat().st_size

    async def finish(self) -> Ledger:
        """Let it end; what it has told, which its stream holds byte for byte."""
        out, _ = await asyncio.to_thread(self.process.communicate, None, 60)
        teller = Teller(self.session, _SEED)
        told = b"".join(teller.line() for _ in range(int(out)))
        assert self.folder.stream.read_bytes() == told
        return teller.ledger


@asynccontextmanager
async def working(folder: SessionFolder, session: int) -> AsyncIterator[Agent]:
    """An agent at work in a session's folder."""
    module = "tests.integration.faults.agent"
    argv = [sys.executable, "-m", module, str(folder.stream), str(session), str(_SEED)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, cwd=_ROOT, stdin=pipe, stdout=pipe)
    with process:
        yield Agent(folder, session, process)
        if process.stdin is not None:
            process.stdin.close()


@asynccontextmanager
async def ringing(recorder: Recorder, *folders: SessionFolder) -> AsyncIterator[None]:
    """Ring for the folders all the time, as the harness does while agents write."""

    async def ring() -> None:
        while True:
            for folder in folders:
                recorder.ring(folder)
            await asyncio.sleep(_RING)

    ringer = asyncio.create_task(ring())
    try:
        yield
    finally:
        ringer.cancel()
        await asyncio.wait([ringer])


def main(stream: str, session: int, seed: int) -> int:
    """Work; the number of lines."""
    teller = Teller(session, seed)
    descriptor = os.open(stream, os.O_WRONLY | os.O_APPEND)
    count = 0
    while not select.select([sys.stdin], [], [], _PAUSE)[0]:
        line = teller.line()
        assert os.write(descriptor, line) == len(line)
        count += 1
    return count


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
