"""The embedded server: started by its first client, stopped after its last, shared by all processes of one ACD_HOME.

gate.lock    held around everything that starts or stops the server
users.lock   shared by each client as long as it uses the server; the kernel drops a killed client's
guard.lock   held by the guard, the server's parent (`guard.py`)
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from acd.core.errors import DatabaseAway, DatabaseRefused
from acd.core.settings import Settings
from acd.database.binaries import Binaries, find_binaries, open_to_all
from acd.database.cluster import guard_environment, prepare_cluster, server_environment
from acd.database.guard import Order, living_server, open_log
from acd.database.locks import FileLock, is_free
from acd.database.places import ROOT_SHELF, Places, make_base, make_socket_folder, places_of
from acd.database.staying import is_kept, wait_until_stopped
from acd.database.wire import parameters

_GATE_TIMEOUT = 60.0
_READY_TIMEOUT = 30.0
_POLL = 0.01

# Small and safe: every acknowledged commit is on disk (fsync and synchronous_commit stay on).
_TUNING = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_parallel_workers_per_gather": "0",  # parallel queries need more /dev/shm than containers have
    "jit": "off",
    "cluster_name": "acd",
    "log_line_prefix": "%m [%p] %a ",
}
_TUNING_18 = {"io_method": "sync"}  # three processes fewer


@dataclass(frozen=True)
class ServerStatus:
    """What can be said of the embedded server without starting it."""

    data: Path
    socket: Path
    log: Path
    binaries: Path
    major: int
    runs_as: str | None
    pid: int | None
    kept: bool


class EmbeddedServer:
    """One client's hold on the embedded server of `settings.home`. Blocking; not for two threads at once."""

    def __init__(self, settings: Settings) -> None:
        self.places = places_of(settings.home)
        self._choice = settings.embedded_binaries
        self._users = FileLock(self.places.users)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.places.url()

    def attach(self) -> None:
        """Become a client: from now until `leave` the server is kept up. Starts it where it is not.

        Raises:
            DatabaseAway: it did not become ready.
            DatabaseRefused: it cannot be started; the message says why and what to do.
        """
        make_base(self.places)
        with FileLock(self.places.gate).held(seconds=_GATE_TIMEOUT) as got:
            _insist(got)
            _insist(self._users.lock(seconds=_GATE_TIMEOUT, shared=True))
            self._bring_up()

    def ensure_up(self) -> None:
        """Start the server where it has died and its guard with it; errors as `attach`."""
        with FileLock(self.places.gate).held(seconds=_GATE_TIMEOUT) as got:
            _insist(got)
            self._bring_up()

    def leave(self) -> None:
        """Be no client any more; where we were the last one, wait until the server has stopped.

        A guard that was killed is replaced first: somebody has to stop the server.
        """
        if self._users.is_held and is_free(self.places.guard):
            self._replace_guard()
        self._users.unlock()
        if self.places.users.exists() and not is_kept(self.places):
            self.wait_until_stopped()

    def wait_until_stopped(self) -> None:
        """See `acd.database.staying`."""
        wait_until_stopped(self.places)

    def keep(self) -> None:
        """Let the server stay when its last client leaves. Call it while attached."""
        self.places.keep.write_text(self.places.guard.read_text())

    def release(self) -> None:
        """Undo `keep`: without clients the server stops."""
        self.places.keep.unlink(missing_ok=True)

    def status(self) -> ServerStatus:
        """Look without touching; DatabaseRefused where there are no programs."""
        binaries = self._binaries()
        data = self.places.data(binaries.major)
        server = living_server(data)
        return ServerStatus(
            data=data,
            socket=self.places.socket,
            log=self.places.log,
            binaries=binaries.folder,
            major=binaries.major,
            runs_as=self.places.account.name if self.places.account else None,
            pid=server.pid if server else None,
            kept=is_kept(self.places),
        )

    def _binaries(self) -> Binaries:
        return find_binaries(self._choice)

    def _bring_up(self) -> None:
        """With the gate held: see that guard and server live and answer."""
        try:
            self._start_until_ready()
        except (OSError, subprocess.SubprocessError) as error:
            raise DatabaseRefused(f"the embedded PostgreSQL cannot be started: {error}") from error

    def _start_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT
        started = False
        reason = ""
        while time.monotonic() < deadline:
            lock = FileLock(self.places.guard)
            if lock.try_lock():
                try:
                    if started:
                        raise DatabaseRefused(f"PostgreSQL does not start: {self._last_words()}")
                    self._start_guard(lock)
                finally:
                    lock.unlock()
                started = True
            reason = self._ask() if self.places.socket.exists() else "it has not opened its socket"
            if not reason:
                return
            time.sleep(_POLL)
        raise DatabaseAway(f"the embedded PostgreSQL did not become ready: {reason}")

    def _replace_guard(self) -> None:
        lock = FileLock(self.places.guard)
        with FileLock(self.places.gate).held(seconds=_GATE_TIMEOUT) as got:
            if got and self.status().pid and lock.try_lock():
                try:
                    self._start_guard(lock)
                finally:
                    lock.unlock()

    def _ask(self) -> str:
        """Connect once; the reason why that failed, empty when it did not."""
        wanted = parameters(self.url, "acd launcher") | {"connect_timeout": "5"}
        try:
            psycopg.connect(**wanted).close()  # type: ignore[arg-type]
        except psycopg.errors.ConnectionTimeout as error:
            raise DatabaseAway("the embedded PostgreSQL hangs: it does not answer") from error
        except psycopg.OperationalError as error:
            return str(error)
        return ""

    def _start_guard(self, lock: FileLock) -> None:
        """Start guard and server; the guard inherits the held lock, so it stays locked when we let go of it."""
        binaries = self._binaries()
        if self.places.account:
            binaries = open_to_all(binaries, ROOT_SHELF)
        make_socket_folder(self.places)
        data = prepare_cluster(self.places, binaries)
        order = _order(self.places, binaries, data, lock.fd)
        with open_log(self.places.log) as log:
            subprocess.run(
                [sys.executable, "-P", "-m", "acd.database.guard", order.encode()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=guard_environment(),
                start_new_session=True,
                pass_fds=[lock.fd],
                check=True,
            )

    def _last_words(self) -> str:
        lines = self.places.log.read_text(errors="replace").splitlines()
        return " / ".join(lines[-5:]) + f" (see {self.places.log})"


def _insist(got: bool) -> None:
    if not got:
        raise DatabaseAway("another process has been starting or stopping PostgreSQL for a minute")


def _order(places: Places, binaries: Binaries, data: Path, lock_fd: int) -> Order:
    folder = '"' + str(places.socket_folder).replace('"', '""') + '"'
    tuning = _TUNING | {"unix_socket_directories": folder, "port": "5432"}
    if binaries.major >= 18:
        tuning |= _TUNING_18
    settings = [word for name, value in tuning.items() for word in ("-c", f"{name}={value}")]
    return Order(
        command=[str(binaries.folder / "postgres"), "-D", str(data), *settings],
        environment=server_environment(),
        user=places.account.uid if places.account else None,
        group=places.account.gid if places.account else None,
        data=str(data),
        gate=str(places.gate),
        users=str(places.users),
        guard=str(places.guard),
        keep=str(places.keep),
        log=str(places.log),
        lock_fd=lock_fd,
    )
