"""The API over 100,000 sessions with 3 million ledger rows: how many requests, how soon, and what sums cost."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median

import psycopg

from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.reports import targets, usage
from bench.corpus import Size, fill
from bench.figures import Figure, Outcome, Sample, aimed, in_turns
from bench.load import Load, ask
from bench.scratch import Scratch, scratch_server

CONNECTIONS = 16
REPO_ID = "target-0007"
_SECONDS = 3.0
_ROUNDS = 3
_PATIENCE_S = 60.0
_CALLS = 40
# The sums have a row a target, model and day: both databases have the same of those, and other numbers of sessions.
_FEW, _MANY, _DAYS = 10_000, 1_000_000, 14
_REPORTS = (
    *("cost", "tokens", "cache", "throughput", "success-rate", "error-rate"),
    *("cost-per-feature", "cost-per-commit", "models"),
)


async def measure(scale: float = 1.0) -> Outcome:
    """Everything; `scale` makes all databases smaller, to try the benchmark itself."""
    with scratch_server() as scratch:
        await scratch.create_template()
        begin = time.perf_counter()
        url = scratch.create()
        size = Size(sessions=int(100_000 * scale))
        await fill(url, size)
        notes = [
            f"{size.sessions:,} sessions, {size.sessions * size.requests:,} ledger rows, {size.targets} targets, "
            f"made in {time.perf_counter() - begin:.0f} s; PostgreSQL as `acd db` starts it",
            f"{CONNECTIONS} connections from a process of its own, no gzip, {_SECONDS:g} s each; bench/bare.py is FastAPI "
            "with one route that answers 11 bytes, on uvicorn with the same settings",
        ]
        with serving(scratch.folder, url) as port, _bare() as bare_port:
            figures = [
                *await _rates(port, bare_port),
                *[await _latency(port, path) for path in _paths(url)],
            ]
        scratch.drop(url)
        figures += await _sums(scratch, scale)
        return Outcome("api: reading over HTTP", figures, notes)


async def _rates(port: int, bare_port: int) -> list[Figure]:
    rates: dict[str, list[float]] = {"bare": [], "sessions": []}

    async def one(name: str, load: Load) -> Sample:
        answered = await ask(load)
        rates[name].append(answered.rate)
        return Sample(answered.seconds, 0)

    sessions = Load(port, "/api/db/sessions?limit=10", CONNECTIONS, _SECONDS)
    contestants = {
        "bare": partial(one, "bare", Load(bare_port, "/bare", CONNECTIONS, _SECONDS)),
        "sessions": partial(one, "sessions", sessions),
    }
    await in_turns(contestants, _ROUNDS)
    bare, ours = median(rates["bare"]), median(rates["sessions"])
    return [
        Figure(name="bare FastAPI endpoint", value=bare, unit="requests/s"),
        Figure(name="sessions?limit=10", value=ours, unit="requests/s"),
        aimed("bare endpoint / sessions?limit=10", bare / ours, "", below=3.0),
    ]


def _paths(url: str) -> Iterator[tuple[str, float]]:
    """Every GET that answers JSON or figures, with the aim for its 99th percentile in milliseconds."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT id FROM harness_sessions ORDER BY started_at DESC, id DESC OFFSET 500 LIMIT 1"
        ).fetchone()
    assert row is not None
    session = f"/api/db/sessions/{row[0]}"
    yield "/api/db/targets", 150.0
    yield "/api/glance", 150.0  # every target, and more
    for path in (
        "/api/health",
        "/api/db/targets/summary",
        "/api/db/sessions?limit=50",
        f"/api/db/sessions?limit=50&repoId={REPO_ID}",
        "/api/db/sessions?limit=50&status=failed&model=opus",
        session,
        f"{session}/events?limit=50",
        "/api/db/model-usage",
        f"/api/db/model-usage?days=30&repoId={REPO_ID}",
        f"/api/db/snapshots?days=30&repoId={REPO_ID}",
        "/api/db/errors?limit=50",
        f"/api/db/errors?limit=50&resolved=all&repoId={REPO_ID}",
        f"/api/db/features/{REPO_ID}",
        f"/api/db/commits/{REPO_ID}?limit=50",
        "/api/db/token-usage?limit=50",
        f"/api/db/token-usage?limit=50&repoId={REPO_ID}",
        f"/api/db/token-usage?limit=50&sessionId={row[0]}",
        "/api/targets/status",
        "/api/queue",
        *(f"/api/reports/{name}" for name in _REPORTS),
        "/metrics",
        "/api/glance/commits",
        "/api/glance/usage",
        f"/api/glance/session?name={REPO_ID}%231",
        f"/api/glance/timeline/{row[0]}",
    ):
        yield path, 50.0


async def _latency(port: int, asked: tuple[str, float]) -> Figure:
    path, aim = asked
    answered = await ask(Load(port, path, CONNECTIONS, _SECONDS))
    note = (
        f"median {answered.percentile(0.5) * 1000:.1f} ms, {answered.rate:,.0f} requests/s, "
        f"{answered.size / 1000:.1f} kB"
    )
    shown = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", path)
    return aimed(f"p99 {shown}", answered.percentile(0.99) * 1000, "ms", below=aim, note=note)


async def _sums(scratch: Scratch, scale: float) -> list[Figure]:
    """What summary and model usage cost the database at two numbers of sessions, call by call in turns.

    Before each call a transaction is committed, so that no answer is one that was kept.
    """
    calls: dict[str, Callable[[Database], Awaitable[bytes]]] = {
        "targets/summary": targets.summary,
        "model-usage": usage.by_model,
    }
    urls = []
    for sessions in (_FEW, _MANY):
        urls.append(scratch.create())
        await fill(urls[-1], Size(sessions=int(sessions * scale), requests=0, days=_DAYS))
    home = scratch.folder / "home"
    async with (
        open_database(Settings(home=home, database_url=urls[0]), application="bench") as few,
        open_database(Settings(home=home, database_url=urls[1]), application="bench") as many,
    ):
        writers = [psycopg.connect(url, autocommit=True) for url in urls]
        took_few: dict[str, list[float]] = {name: [] for name in calls}
        took_many: dict[str, list[float]] = {name: [] for name in calls}
        opened = [(few, writers[0], took_few), (many, writers[1], took_many)]
        for _ in range(_CALLS):
            for name, call in calls.items():
                for database, writer, took in opened:
                    writer.execute("SELECT pg_current_xact_id()")
                    begin = time.perf_counter()
                    await call(database)
                    took[name].append(time.perf_counter() - begin)
        for writer in writers:
            writer.close()
    figures = []
    for name in calls:
        at_few, at_many = median(took_few[name]), median(took_many[name])
        note = f"{at_few * 1000:.1f} ms at {_FEW * scale:,.0f}, {at_many * 1000:.1f} ms at {_MANY * scale:,.0f}"
        figures.append(
            aimed(f"{name}, many / few sessions", at_many / at_few, "", below=1.5, note=note)
        )
    return figures


@contextmanager
def serving(folder: Path, url: str) -> Iterator[int]:
    """`acd serve` over a database; its port."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ACD_HOME": str(folder / "serving"),
        "DATABASE_URL": url,
        "BACKEND_PORT": "0",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    command = [sys.executable, "-m", "acd", "serve"]
    with _ending(
        subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                yield int(found[1])
                return
        raise RuntimeError("acd serve did not begin to serve")


@contextmanager
def _bare() -> Iterator[int]:
    """The server to compare with; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with _ending(subprocess.Popen([sys.executable, "-m", "bench.bare", str(port)], text=True)):
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port


@contextmanager
def _ending(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Stop a server as a user does, when the block ends."""
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE_S)
