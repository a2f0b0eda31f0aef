"""Memory of the harness, its recorder included, while an agent prints 1 GB of nonsense."""

from __future__ import annotations

import gc
import time
from pathlib import Path

from bench.figures import Figure, Outcome, aimed
from bench.stage import Stage, staged

_FLOOD = 1_000_000_000
_SHORT_FLOOD = 50_000_000
_SHORT_LINE = 200
_LIMIT_MB = 64
_SELF = Path("/proc/self")


async def measure() -> Outcome:
    """Growth of resident memory, from after a small session to its peak."""
    async with staged("scripted", {}) as stage:
        await _flooded(stage, 0, 0)
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
        [
            "peak resident set (VmHWM) of the process that harness and recorder share, less what it was before"
        ],
    )


async def _flooded(stage: Stage, size: int, line: int) -> tuple[float, float, float]:
    """Megabytes of growth at the peak; seconds until recorded, and until the session had ended."""
    if size:
        stage.script({"do": "flood", "bytes": size, "line_bytes": line})
    else:
        stage.script()
    gc.collect()
    before = _forget_peak()
    begin = time.perf_counter()
    outcome = await stage.work()
    ended = time.perf_counter() - begin
    await stage.recorded()
    recorded = time.perf_counter() - begin
    assert outcome.status == "completed", outcome
    return (_kilobytes("VmHWM") - before) / 1e3, recorded, ended


def _forget_peak() -> int:
    """Make the kernel count the peak from now on; the resident set now, in kB (Linux only)."""
    _SELF.joinpath("clear_refs").write_text("5")
    return _kilobytes("VmRSS")


def _kilobytes(name: str) -> int:
    lines = _SELF.joinpath("status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
