"""`acd serve` with its embedded database, when nobody wants anything of them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.maintenance import remove_embedded
from bench.figures import Figure, Outcome, aimed

_WATCHED_S = 30.0
_SETTLING_S = 5.0
_PATIENCE_S = 60.0
_ACTIVE_FOR = 20


async def measure() -> Outcome:
    """Memory and processor of all processes together."""
    with tempfile.TemporaryDirectory(prefix="acd-bench-") as name:
        home = Path(name) / "home"
        server = EmbeddedServer(Settings(home=home))
        try:
            with _serving(Path(name), home) as (process, address):
                await _use(address)
                await asyncio.sleep(_SETTLING_S)
                found = _processes(process, server)
                before = {pid: _cpu(each) for pid, each in found.items()}
                begin = time.perf_counter()
                await asyncio.sleep(_WATCHED_S)
                seconds = time.perf_counter() - begin
                return _outcome(found, before, seconds, process.pid)
        finally:
            remove_embedded(server)


def _outcome(
    found: dict[int, psutil.Process], before: dict[int, float], seconds: float, own: int
) -> Outcome:
    spent = {pid: _cpu(each) - before[pid] for pid, each in found.items()}
    memory = {pid: each.memory_full_info() for pid, each in found.items()}
    postgres = {pid for pid, each in found.items() if each.name().startswith("postgres")}
    whole = sum(i.pss if pid in postgres else i.rss for pid, i in memory.items())
    return Outcome(
        "idle: acd serve and its database",
        [
            aimed(
                "memory", whole / 1e6, "MB", below=150, note="PSS of PostgreSQL, RSS of the rest"
            ),
            Figure(name="of it acd serve (RSS)", value=memory[own].rss / 1e6, unit="MB"),
            Figure(
                name="of it PostgreSQL (PSS)",
                value=sum(memory[pid].pss for pid in postgres) / 1e6,
                unit="MB",
                note=f"{len(postgres)} processes",
            ),
            aimed("processor", _share(sum(spent.values()), seconds), "% of a core", below=0.5),
            Figure(name="of it acd serve", value=_share(spent[own], seconds), unit="% of a core"),
            Figure(
                name="of it PostgreSQL",
                value=_share(sum(spent[pid] for pid in postgres), seconds),
                unit="% of a core",
            ),
        ],
        [
            f"watched for {seconds:.0f} s, after {_ACTIVE_FOR} requests of three pages and {_SETTLING_S:.0f} s of rest",
            "RSS of PostgreSQL's processes would count its shared memory once each; PSS counts it once",
        ],
    )


def _share(spent: float, seconds: float) -> float:
    return 100 * spent / seconds


@contextmanager
def _serving(folder: Path, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`acd serve` on a port of its own; its address."""
    port = _free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ACD_HOME": str(home),
        "BACKEND_PORT": str(port),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "acd", "serve"],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _use(address: str) -> None:
    """Wait until it answers, then ask for what a person asks for, so that everything lazy is loaded."""
    async with httpx.AsyncClient(base_url=address) as client:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                (await client.get("/api/health")).raise_for_status()
                break
            await asyncio.sleep(0.1)
        for _ in range(_ACTIVE_FOR):
            for path in ("/", "/api/db/sessions?limit=10", "/api/db/targets"):
                (await client.get(path)).raise_for_status()


def _processes(
    serving: subprocess.Popen[bytes], server: EmbeddedServer
) -> dict[int, psutil.Process]:
    """The server, its children, PostgreSQL's processes, and the guard above them."""
    postmaster = psutil.Process(server.status().pid)
    guard = postmaster.parent()
    assert guard is not None
    roots = [psutil.Process(serving.pid), guard]
    return {each.pid: each for root in roots for each in (root, *root.children(recursive=True))}


def _cpu(process: psutil.Process) -> float:
    """Seconds of processor, with those of children that have ended."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
