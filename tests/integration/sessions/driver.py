"""A harness that dies: works (or recovers) in a process of its own and kills itself with -9 at a given moment.

    python driver.py CONFIG

CONFIG is JSON: `settings`, `plan` (null: recover only), `moment`, `count`, and `unheld` (the agent does not inherit the
lock on the repository). Moments, each counted from 1:

    ring      after a fact is written and told
    write     in the middle of writing a line of the journal
    sync      after a line is written, before it is known to be on the disk
    start     after the agent was started, before anything was written about it
    git       before git is called to change something
    gitted    after it was
    none      never
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from acd.agents.registry import load_adapter
from acd.core.errors import Busy
from acd.core.settings import Settings
from acd.files import journal
from acd.git import WritableRepository
from acd.git.calls import Answer
from acd.harness import session
from acd.harness.plan import SessionPlan
from acd.harness.process import start_process
from acd.harness.recovery import recover


class Config(msgspec.Struct):
    """What the driver is to do."""

    settings: Settings
    plan: SessionPlan | None
    moment: str = "none"
    count: int = 1
    unheld: bool = False


class Death:
    """Kills this process when its moment comes."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._left = config.count

    def comes(self, moment: str) -> bool:
        if moment != self._config.moment:
            return False
        self._left -= 1
        return self._left == 0

    def at(self, moment: str) -> None:
        if self.comes(moment):
            os.kill(os.getpid(), signal.SIGKILL)


def arm(death: Death, config: Config) -> None:
    """Put the moments into the code under test."""
    real_write, real_sync = journal._write_all, os.fsync
    real_change = WritableRepository._try

    def write(descriptor: int, data: bytes) -> None:
        if death.comes("write"):
            os.write(descriptor, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        real_write(descriptor, data)

    def sync(descriptor: int) -> None:
        death.at("sync")
        real_sync(descriptor)

    async def change(self: WritableRepository, *arguments: str) -> Answer:
        death.at("git")
        answer = await real_change(self, *arguments)
        death.at("gitted")
        return answer

    def start(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        if config.unheld:
            options["keep_open"] = []
        process = start_process(*arguments, **options)
        death.at("start")
        return process

    replace: Callable[[object, str, object], None] = setattr
    replace(journal, "_write_all", write)
    replace(os, "fsync", sync)
    replace(session, "start_process", start)
    replace(WritableRepository, "_try", change)


async def main(config: Config) -> None:
    death = Death(config)
    arm(death, config)

    def ring(_folder: object) -> None:
        death.at("ring")

    if config.plan is None:
        await recover(config.settings, ring)
        return
    adapter = load_adapter(config.plan.target.agent)
    try:
        await session.work_session(
            config.plan,
            adapter=adapter,
            binary=adapter.find(config.settings),
            settings=config.settings,
            ring=ring,
            on_progress=None,
            stop=asyncio.Event(),
        )
    except Busy as error:
        sys.exit(str(error))


if __name__ == "__main__":
    text = Path(sys.argv[1]).read_bytes()
    asyncio.run(
        main(msgspec.json.decode(text, type=Config, dec_hook=lambda kind, value: kind(value)))
    )
