"""Embedded servers of these tests' own, and client programs that use them from other processes."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.guard import living_server
from acd.database.locks import is_free
from acd.database.maintenance import remove_embedded

# Prints the database's id, the time zone and the server's encoding, then waits for its stdin to end.
# What was started in the background ignores Ctrl-C, and so does what it starts: of the terminal's own it is not ignored.
CLIENT = """
import asyncio, signal, sys
from acd.core.environment import load_settings
from acd.database.connection import open_database

ASK = "SELECT value, current_setting('TimeZone') AS zone, current_setting('server_encoding') AS encoding " \\
    "FROM acd_settings WHERE key = %(key)s"

async def main():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, ended.set)
    async with open_database(load_settings(), application="client") as database:
        async with database.transaction() as transaction:
            (row,) = await transaction.fetch_foreign(ASK, {"key": "database_id"})
        print(*row.values(), sep="|", flush=True)
        await ended.wait()

signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""


class Client:
    """A process that has the embedded database open."""

    def __init__(self, command: list[str], environment: dict[str, str], cwd: Path) -> None:
        self._process = subprocess.Popen(
            [*command, "-c", CLIENT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=cwd,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self) -> list[str]:
        """Wait until it has the database open; what it read there."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"the client ended with status {self._process.wait()}"
        return line.strip().split("|")

    def end(self) -> int:
        """Let it end in order."""
        if self._process.stdin:
            self._process.stdin.close()
        status = self._process.wait(60)
        self._close()
        return status

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close()

    def interrupt_group(self) -> None:
        """What Ctrl-C in its terminal does."""
        os.killpg(self.pid, signal.SIGINT)
        self._process.wait(60)
        self._close()

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


StartClient = Callable[..., Client]


@pytest.fixture
def start_client(tmp_path: Path) -> Iterator[StartClient]:
    """Start a client on ACD_HOME with further environment variables; `prefix` goes before the program."""
    started: list[Client] = []

    def start(home: Path, *, prefix: list[str] | None = None, **environment: str) -> Client:
        inherited = {"PATH": os.environ["PATH"], "ACD_HOME": str(home)}
        command = [*(prefix or []), sys.executable]
        started.append(Client(command, inherited | environment, tmp_path))
        return started[-1]

    yield start
    for client in started:
        client.kill()


@pytest.fixture
def server(settings: Settings) -> Iterator[EmbeddedServer]:
    """A server of this test's own, not started yet; removed afterwards."""
    embedded = EmbeddedServer(settings)
    yield embedded
    embedded.leave()
    embedded.release()
    remove_embedded(embedded)


@pytest.fixture
def ordinary() -> Iterator[tuple[list[str], Path]]:
    """Words that start a program as an ordinary user, and a folder of that user's with a short name.

    As root we become `nobody`, who keeps the right to read what root can (the interpreter may lie in a folder of
    root's) but none to write or to be root.
    """
    with tempfile.TemporaryDirectory(prefix="acd-", dir="/tmp") as folder:
        if os.geteuid() != 0:
            yield [], Path(folder)
            return
        account = pwd.getpwnam("nobody")
        os.chown(folder, account.pw_uid, account.pw_gid)
        setpriv = shutil.which("setpriv")
        assert setpriv, "as root these tests need setpriv (util-linux)"
        words = f"{setpriv} --reuid={account.pw_uid} --regid={account.pw_gid} --clear-groups"
        reading = " --inh-caps=+dac_read_search --ambient-caps=+dac_read_search"
        yield (words + reading).split(), Path(folder)


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def postmaster(server: EmbeddedServer) -> psutil.Process | None:
    return living_server(server.status().data)


def stopped(server: EmbeddedServer) -> bool:
    return is_free(server.places.guard) and postmaster(server) is None


@pytest.fixture
def wait_until_stopped() -> Callable[[EmbeddedServer], None]:
    return lambda server: wait_for(lambda: stopped(server), "the server has stopped")
