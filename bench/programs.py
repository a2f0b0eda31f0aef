"""Programs that are measured from outside: what they took, and what the server of the database took for them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg

_MEASURED = Path(__file__).with_name("measured.py")


class Ran(NamedTuple):
    """One run of a program: seconds by the clock, of processors, its largest process in bytes, what it printed.

    `server_cpu`: seconds of processors that PostgreSQL took meanwhile.
    """

    wall: float
    cpu: float
    memory: int
    server_cpu: float
    out: bytes


async def run(
    argv: Sequence[str], environment: Mapping[str, str], *, server: int | None = None
) -> Ran:
    """Run a program to its end, with nothing else in its environment.

    Args:
        argv: the program; one that fails is an error, with what it said.
        environment: all of its environment beside PATH.
        server: pid of the PostgreSQL server whose processor time belongs to it.
    """
    return await asyncio.to_thread(_run, argv, environment, server)


def _run(argv: Sequence[str], environment: Mapping[str, str], server: int | None) -> Ran:
    own = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | dict(environment)
    before = _server_cpu(server)
    done = subprocess.run(
        [sys.executable, "-S", str(_MEASURED), *argv], env=own, stdout=subprocess.PIPE, check=True
    )
    took = json.loads(done.stdout)
    if took["status"]:
        raise RuntimeError(f"{' '.join(argv)}: exit {took['status']}\n{took['out'][-2000:]}")
    server_cpu = _server_cpu(server) - before
    return Ran(took["wall"], took["cpu"], took["memory"], server_cpu, took["out"].encode())


def server_pid(url: str) -> int:
    """Process of the PostgreSQL server behind a URL, which runs on this machine."""
    with psycopg.connect(url) as connection:
        return int(psutil.Process(connection.info.backend_pid).ppid())


def _server_cpu(server: int | None) -> float:
    """Processor time of a server, its live backends, and those that have ended."""
    if server is None:
        return 0.0
    process = psutil.Process(server)
    times = process.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in process.children():
        try:
            mine = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += mine.user + mine.system
    return float(total)
