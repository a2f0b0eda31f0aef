"""`acd statusline` beside a bare Python: what Claude Code waits for at every change of its status line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from acd.queue.status_file import NAME
from bench.figures import Figure, Outcome, Sample, aimed, in_turns

_ROUNDS = 25
_MOST_MS = 50
_TOLD = json.dumps(
    {"model": {"display_name": "Opus"}, "cost": {"total_cost_usd": 0.42}, "cwd": "/repos/r199/src"}
)


async def measure() -> Outcome:
    """Both in turns, in one minute of the same machine; the median of 25."""
    with tempfile.TemporaryDirectory(prefix="acd-bench-") as name:
        home = Path(name)
        (home / NAME).write_text(_file())
        acd = Path(sys.executable).with_name("acd")
        found = await in_turns(
            {
                "bare": _timed([sys.executable, "-c", "pass"], home),
                "statusline": _timed([str(acd), "statusline"], home),
                "help": _timed([str(acd), "--version"], home),
            },
            repeats=_ROUNDS,
        )
    bare, line = found["bare"].wall, found["statusline"].wall
    return Outcome(
        "statusline: acd statusline beside python -c pass",
        [
            Figure(name="python -c pass", value=round(1000 * bare, 1), unit="ms"),
            aimed("acd statusline", round(1000 * line, 1), "ms", below=_MOST_MS),
            Figure(
                name="of which beyond Python's start",
                value=round(1000 * (line - bare), 1),
                unit="ms",
            ),
            Figure(name="ratio", value=round(line / bare, 2), unit=""),
            Figure(
                name="acd --version, for comparison",
                value=round(1000 * found["help"].wall, 1),
                unit="ms",
            ),
        ],
        ["200 targets in the file; median of 25, in turns"],
    )


def _timed(command: Sequence[str], home: Path) -> Callable[[], Awaitable[Sample]]:
    async def once() -> Sample:
        before, begin = os.times(), time.perf_counter()
        subprocess.run(
            command,
            input=_TOLD.encode(),
            stdout=subprocess.DEVNULL,
            env={"HOME": str(home), "ACD_HOME": str(home)},
            check=True,
        )
        wall, after = time.perf_counter() - begin, os.times()
        spent = (
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
        return Sample(wall, spent)

    return once


def _file() -> str:
    now = time.time()
    return json.dumps(
        {
            "writtenAt": now,
            "dayEnds": now + 3600,
            "todayUsd": "12.30",
            "todayTokens": 1,
            "blockUsd": "4.10",
            "blockEnds": now + 7200,
            "targets": [
                {"path": f"/repos/r{n}", "repoId": f"r{n}", "passing": n, "total": 200}
                for n in range(200)
            ],
        }
    )
