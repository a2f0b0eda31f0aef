"""What more machines bring: the same queue worked by one machine and by three, with agents that mostly wait.

Machines are processes of their own (`acd run`, `acd worker`) with their own homes and names on one PostgreSQL. Every target
is a clone that the machine makes, and takes one session. Time counts from the first session's start to the last one's end,
both by the database.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from acd.testing.machines import Machine
from bench.figures import Figure, Outcome
from bench.scratch import Scratch, scratch_server

_TARGETS = 18
_SLOTS = 2
_WAIT_S = 15.0
_AIM = 2.5
_LONGEST_S = 900.0
_IDENTITY = ("-c", "user.name=Bench", "-c", "user.email=bench@localhost")
_SPAN = """
SELECT extract(epoch FROM max(finished_at) - min(started_at))::double precision, count(*),
       count(*) FILTER (WHERE status = 'completed'), count(DISTINCT host)
FROM harness_sessions
"""


async def measure() -> Outcome:
    """Seconds for all targets, and how many times as fast three machines are."""
    with scratch_server() as scratch:
        await scratch.create_template()
        one = await _worked(scratch, 1)
        three = await _worked(scratch, 3)
    ratio = one / three
    ideal = _TARGETS / _SLOTS * _WAIT_S
    return Outcome(
        "fleet: three machines against one",
        [
            Figure(name="one machine", value=one, unit="s"),
            Figure(name="three machines", value=three, unit="s"),
            Figure(
                name="throughput of three against one",
                value=ratio,
                unit="times",
                aim=f"≥ {_AIM:g} times",
                met=ratio >= _AIM,
            ),
        ],
        [
            f"{_TARGETS} sessions in which the agent waits {_WAIT_S:g} s, {_SLOTS} at a time a machine; waiting alone takes "
            f"one machine {ideal:g} s"
        ],
    )


async def _worked(scratch: Scratch, machines: int) -> float:
    url = scratch.create()
    with TemporaryDirectory(prefix="acd-bench-fleet-") as name:
        folder = Path(name)
        _prepare(folder)
        settings = {
            "DATABASE_URL": url,
            "ACD_SCENARIO": str(folder / "scenario.json"),
            "ACD_CONCURRENCY": str(_SLOTS),
        }
        first, *others = (Machine(f"m{n}", folder, settings) for n in range(machines))
        async with AsyncExitStack() as working:
            for machine in others:
                await working.enter_async_context(machine.at_work("worker", "--no-live"))
            await _until_joined(url, len(others))
            queue = str(folder / "repo-queue.json")
            run = ("run", "--no-serve", "--no-live", "--queue", queue)
            process = await working.enter_async_context(first.at_work(*run))
            if await asyncio.wait_for(process.wait(), _LONGEST_S) != 0:
                raise RuntimeError(f"the run failed:\n{first.log.read_text()}")
            for machine in others:
                await machine.stop()
        return _seconds(url, machines)


async def _until_joined(url: str, workers: int) -> None:
    async with asyncio.timeout(120):
        with psycopg.connect(url, autocommit=True) as database:
            while True:
                row = database.execute("SELECT count(*) FROM workers").fetchone()
                if row is not None and row[0] >= workers:
                    return
                await asyncio.sleep(0.2)


def _seconds(url: str, machines: int) -> float:
    with psycopg.connect(url) as database:
        row = database.execute(_SPAN).fetchone()
    if row is None or tuple(row[1:]) != (_TARGETS, _TARGETS, machines):
        raise RuntimeError(f"not {_TARGETS} completed sessions on {machines} machines: {row}")
    return float(row[0])


def _prepare(folder: Path) -> None:
    """One repository to clone, with one feature to do, for every target."""
    source = folder / "source"
    source.mkdir()
    feature = {"id": "F1", "name": "Greeting", "passes": False}
    (source / "feature_list.json").write_text(json.dumps([feature]))
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(source), *_IDENTITY, *words], check=True)
    entries = [
        {"id": f"t{n:02}", "path": f"nowhere/t{n:02}", "clone": "source", "agent": "scripted"}
        for n in range(_TARGETS)
    ]
    (folder / "repo-queue.json").write_text(json.dumps({"repos": entries}))
    steps = [{"do": "say"}, {"do": "sleep", "seconds": _WAIT_S}, {"do": "feature"}]
    scenario = {"seed": 1, "targets": {"*": {"sessions": [{"steps": steps}]}}}
    (folder / "scenario.json").write_text(json.dumps(scenario))
