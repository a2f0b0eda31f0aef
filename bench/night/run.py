"""Living through the night: `acd run` until it ends by itself, with restarts of the database and kills of the harness."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from acd.testing.machines import Machine
from bench.night.plans import plan_night
from bench.night.world import RULES, Server, lay_out

_LONGEST_S = 3600.0
Tell = Callable[[str], None]


class Lived(msgspec.Struct):
    """What happened to the night from outside. `exit_status` is that of the last `acd run`, which ended by itself."""

    restarts: int = 0
    kills: int = 0
    seconds: float = 0
    exit_status: int | None = None


async def live_through(
    folder: Path,
    server: Server,
    *,
    targets: int,
    seed: int,
    restarts: int,
    kills: int,
    tell: Tell,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Machine, Lived]:
    """Work a night in an empty folder.

    The moments come from the seed and from how far the night is: each falls when a share of the sessions that are to be
    expected has begun.

    Raises:
        TimeoutError: it does not end.
    """
    night = plan_night(targets, seed)
    lay_out(folder, night, seed)
    environment = {
        **RULES,
        **settings,
        "DATABASE_URL": server.url,
        "ACD_SCENARIO": str(folder / "scenario.json"),
    }
    machine = Machine("night", folder, environment)
    rng = random.Random(seed)
    kinds = ["restart"] * restarts + ["kill"] * kills
    rng.shuffle(kinds)
    expected = sum(len(each.sessions) + 1 for each in night)
    faults = [(expected * (n + 1) // (len(kinds) + 2), kind) for n, kind in enumerate(kinds)]
    lived = Lived()
    began = time.monotonic()
    async with asyncio.timeout(_LONGEST_S):
        while lived.exit_status is None:
            await _work(machine, folder, server, faults, lived, tell)
    lived.seconds = time.monotonic() - began
    return machine, lived


async def _work(
    machine: Machine,
    folder: Path,
    server: Server,
    faults: list[tuple[int, str]],
    lived: Lived,
    tell: Tell,
) -> None:
    """One `acd run`, up to its end or to the next kill."""
    queue = str(folder / "repo-queue.json")
    async with machine.at_work("run", "--no-serve", "--no-live", "--queue", queue) as process:
        ending = asyncio.create_task(process.wait())
        while not ending.done():
            await asyncio.wait({ending}, timeout=0.3)
            begun = _begun(machine)
            if not faults or begun < faults[0][0] or ending.done():
                continue
            _, kind = faults.pop(0)
            if kind == "kill":
                lived.kills += 1
                agents = lived.kills % 2 == 0  # the first time they live on, and are adopted
                tell(f"{begun} sessions begun: killing the harness{' and its agents' * agents}")
                machine.kill(agents=agents)
                await ending
                return
            lived.restarts += 1
            tell(f"{begun} sessions begun: restarting the database")
            await asyncio.to_thread(server.stop)
            await asyncio.sleep(1)
            await asyncio.to_thread(server.start)
        lived.exit_status = ending.result()
        tell(f"acd run ended by itself, exit status {lived.exit_status}")


def _begun(machine: Machine) -> int:
    ledgers = machine.home / "scripted-agent" / "ledger"
    return len(list(ledgers.glob("*.jsonl")))
