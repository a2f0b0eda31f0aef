"""The program as a user starts it: a process of its own, an empty home, and a look at what it leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.harness.process import is_alive

PATIENCE = 180.0


class Program:
    """Calls of acd with one ACD_HOME and one empty HOME, both in `folder`; nothing else is in the environment."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.home = folder / "acd"
        user = folder / "user"
        user.mkdir(parents=True, exist_ok=True)
        self.environment: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": str(user),
            "ACD_HOME": str(self.home),
            "BACKEND_PORT": "0",
            **environment,
        }

    def call(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self.environment,
            cwd=self.folder,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it; whoever does ends it with `communicate`."""
        return subprocess.Popen(
            command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=self.folder,
        )

    @property
    def embedded(self) -> EmbeddedServer:
        """The embedded server of this home."""
        return EmbeddedServer(Settings(home=self.home))

    def processes(self) -> list[str]:
        """Living processes that have to do with this home: the program, agents, PostgreSQL and its guard."""
        folders = (str(self.home), str(self.embedded.places.base))
        found = []
        for process in psutil.process_iter():
            words, surroundings = (
                " ".join(_read(process.cmdline)),
                "\n".join(_read(_environment(process))),
            )
            if any(one in words or one in surroundings for one in folders) and is_alive(process):
                found.append(f"{process.pid}: {words}")
        return found

    def left_behind(self) -> list[str]:
        """What still lives after everything was told to end; the kernel gets a moment to bury the dead."""
        wait_for(lambda: not self.processes(), seconds=10, insist=False)
        return self.processes()


def _environment(process: psutil.Process) -> Callable[[], list[str]]:
    return lambda: list(process.environ().values())


def _read(look: Callable[[], list[str]]) -> list[str]:
    """What can be seen of a process; nothing of one that has gone or hides (`hide_from_children`)."""
    try:
        return look()
    except (psutil.Error, OSError):
        return []


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "acd", *arguments]


def wait_for(condition: Callable[[], object], *, seconds: float = 60, insist: bool = True) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            assert not insist, f"{condition.__qualname__}: not within {seconds} s"
            return
        time.sleep(0.05)
