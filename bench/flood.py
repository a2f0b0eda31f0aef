"""Memory of the harness, its recorder included, while an agent prints 1 GB of nonsense."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import suppress

import psutil

from bench.figures import Figure, Outcome, aimed
from bench.stage import Stage, staged

_FLOOD = 1_000_000_000
_SHORT_FLOOD = 50_000_000
_SHORT_LINE = 200
_LIMIT_MB = 64


async def measure() -> Outcome:
    """Growth of resident memory, from after a small session to its peak."""
    async with staged("scripted", {}) as stage:
        await _flooded(stage, 1_000_000, 65536)
        long, long_s, session_s = await _flooded(stage, _FLOOD, 65536)
        short, short_s, _ = await _flooded(stage, _SHORT_FLOOD, _SHORT_LINE)
    lines = _SHORT_FLOOD // _SHORT_LINE
    return Outcome(
        "flood: memory of the harness",
        [
            aimed("growth, 1 GB in lines of 64 kB", long, "MB", below=_LIMIT_MB),
            aimed(f"growth, {lines:,} lines of {_SHORT_LINE} bytes", short, "MB", below=_LIMIT_MB),
            Figure(
                name="1 GB printed and recorded",
                value=long_s,
                unit="s",
                note=f"the session itself {session_s:.1f} s",
            ),
            Figure(name=f"{lines:,} lines recorded", value=lines / short_s, unit="lines/s"),
        ],
        ["resident set of the process that harness and recorder share, looked at every 20 ms"],
    )


async def _flooded(stage: Stage, size: int, line: int) -> tuple[float, float, float]:
    """Megabytes of growth at the peak; seconds until recorded, and until the session had ended."""
    stage.script({"do": "flood", "bytes": size, "line_bytes": line})
    gc.collect()
    own = psutil.Process()
    before = own.memory_info().rss
    peak = asyncio.create_task(_peak(own))
    begin = time.perf_counter()
    outcome = await stage.work()
    ended = time.perf_counter() - begin
    await stage.recorded()
    recorded = time.perf_counter() - begin
    peak.cancel()
    assert outcome.status == "completed", outcome
    return (await peak - before) / 1e6, recorded, ended


async def _peak(process: psutil.Process) -> int:
    """The greatest resident set until cancelled, in bytes."""
    greatest = 0
    with suppress(asyncio.CancelledError):
        while True:
            greatest = max(greatest, process.memory_info().rss)
            await asyncio.sleep(0.02)
    return greatest
