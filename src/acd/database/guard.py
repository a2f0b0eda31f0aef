"""`python -m acd.database.guard ORDER`: the parent of the embedded server, one for each server.

It starts the server, starts it again when it dies, and stops it when nobody holds the users lock any more, however
the last user ended. Being the parent it also reaps the server, so that a killed one is no zombie which PostgreSQL
would take for a living one. It runs in a session of its own: Ctrl-C in a user's terminal reaches neither of them.

ORDER is JSON: see `Order`. Imports little, because it stays in memory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import psutil

from acd.database.locks import FileLock

_POLL = 0.25
_START_WINDOW = 30.0
_STOP_LIMITS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
_LOG_LIMIT = 5 * 1024**2


@dataclass(frozen=True)
class Order:
    """What a guard is told: the server's command and environment, its account, and where the files are."""

    command: list[str]
    environment: dict[str, str]
    user: int | None
    group: int | None
    data: str
    gate: str
    users: str
    guard: str
    keep: str
    log: str
    lock_fd: int

    def encode(self) -> str:
        """The order as a command line argument."""
        return json.dumps(asdict(self))


class Guard:
    """Watches one server from start to stop."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._gate = FileLock(Path(order.gate))
        self._users = FileLock(Path(order.users))
        self._child: subprocess.Popen[bytes] | None = None
        self._told_to_stop = False

    def tell_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Signal handler: stop the server at the next look, whoever uses it."""
        self._told_to_stop = True

    def watch(self) -> int:
        """Stay until the server is stopped (0) or cannot be started (1)."""
        while True:
            if self._told_to_stop:
                self._stop()
                return 0
            if self._unused() and self._gate.try_lock():
                # With the gate ours nobody can come in: what is true now stays true.
                if self._unused():
                    self._stop()
                    return 0
                self._gate.unlock()
            if not self._runs() and not self._start():
                return 1
            time.sleep(_POLL)

    def _unused(self) -> bool:
        if self._kept() or not self._users.try_lock():
            return False
        self._users.unlock()
        return True

    def _kept(self) -> bool:
        try:
            return Path(self._order.keep).read_text() == str(os.getpid())
        except FileNotFoundError:
            return False

    def _runs(self) -> bool:
        """Whether the server lives. Its parent need not search the process table four times a second to know."""
        if self._child is not None and self._child.poll() is None:
            return True
        return living_server(Path(self._order.data)) is not None

    def _server(self) -> psutil.Process | None:
        """The living server: our child, or one whose guard was killed before us."""
        if self._child and self._child.poll() is None:
            return psutil.Process(self._child.pid)
        return living_server(Path(self._order.data))

    def _start(self) -> bool:
        """Start the server, again and again while the last one's remains are in the way.

        After a kill -9 its backends hold its shared memory for some seconds more, and PostgreSQL refuses to start
        beside them; it leaves `postmaster.pid` where it is, and so do we.
        """
        deadline = time.monotonic() + _START_WINDOW
        pause = 0.05
        while time.monotonic() < deadline and not self._told_to_stop:
            self._child = self._spawn()
            if self._stays_up(self._child):
                return True
            if not (Path(self._order.data) / "postmaster.pid").exists():
                return (
                    False  # it cleaned up after itself: something else is wrong, its log says what
                )
            time.sleep(pause)
            pause = min(2 * pause, 0.5)
        return False

    def _spawn(self) -> subprocess.Popen[bytes]:
        order = self._order
        log = Path(order.log)
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        environment = dict(order.environment)
        impostor = _impostor(Path(order.data))
        if impostor is not None:
            # PostgreSQL takes any living process of this pid for itself, but for the pid named here (meant for
            # pg_ctl's parent). It still checks that no process uses the old one's shared memory.
            environment["PG_GRANDPARENT_PID"] = str(impostor)
        with open_log(log) as sink:
            return subprocess.Popen(
                order.command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd="/",
                env=environment,
                user=order.user,
                group=order.group,
                extra_groups=[] if order.user is not None else None,
            )

    def _stays_up(self, child: subprocess.Popen[bytes]) -> bool:
        """Whether it gets as far as writing that it is ready (8th line of postmaster.pid, since version 10)."""
        deadline = time.monotonic() + _START_WINDOW
        while child.poll() is None and time.monotonic() < deadline:
            lines = _pid_file(Path(self._order.data))
            if len(lines) >= 8 and lines[0] == str(child.pid):
                return True
            time.sleep(0.01)
        return child.poll() is None

    def _stop(self) -> None:
        """Fast shutdown; a server that hangs is made to end."""
        for number, seconds in _STOP_LIMITS:
            server = self._server()
            if server is None:
                return
            server.send_signal(number)
            server.send_signal(signal.SIGCONT)
            deadline = time.monotonic() + seconds
            while self._server() is not None and time.monotonic() < deadline:
                time.sleep(0.01)


def open_log(log: Path) -> BinaryIO:
    """The log, to append to; only ours to read, since the server quotes rows in it."""
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def living_server(data: Path) -> psutil.Process | None:
    """The process that `postmaster.pid` names, when it lives, is no zombie, and is this folder's server."""
    lines = _pid_file(data)
    if not lines or not lines[0].isdigit():
        return None
    try:
        process = psutil.Process(int(lines[0]))
        if process.status() == psutil.STATUS_ZOMBIE or Path(process.cwd()) != data:
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def _impostor(data: Path) -> int | None:
    """The pid in `postmaster.pid` when something lives under it that is not the server: a zombie, a newer process."""
    lines = _pid_file(data)
    if not lines or not lines[0].isdigit() or living_server(data) is not None:
        return None
    pid = int(lines[0])
    return pid if psutil.pid_exists(pid) else None


def main() -> int:
    """Do what the order on the command line says."""
    order = Order(**json.loads(sys.argv[1]))
    # The lock came with us, held: from before we began until we end there was no moment without a guard.
    os.set_inheritable(order.lock_fd, False)
    pid = os.fork()
    if pid:
        os.ftruncate(order.lock_fd, 0)
        os.pwrite(order.lock_fd, str(pid).encode(), 0)
        return 0  # whoever started us need not wait for us, nor leave a zombie behind
    guard = Guard(order)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, guard.tell_to_stop)
    return guard.watch()


if __name__ == "__main__":
    sys.exit(main())
