"""A PostgreSQL of the test's own, to be ill-treated."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.locks import is_free
from acd.database.maintenance import remove_embedded

DEADLINE = 60.0


class OwnServer:
    """Up from the beginning. Its clients use `url`, so that only the test starts it again after `stop`."""

    def __init__(self, home: Path) -> None:
        self.server = EmbeddedServer(Settings(home=home))
        self.server.attach()
        self.url = self.server.url

    def stop(self) -> None:
        """An orderly stop, of its guard too; returns when both have gone."""
        guard = self.server.places.guard
        os.kill(int(guard.read_text()), signal.SIGTERM)
        deadline = time.monotonic() + DEADLINE
        while not is_free(guard):
            assert time.monotonic() < deadline, "the guard did not end"
            time.sleep(0.01)

    def start(self) -> None:
        """Returns when it answers."""
        self.server.ensure_up()

    def freeze(self) -> None:
        """Stop every process of the server in its tracks: it takes connections and never answers."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def kill_all(self) -> None:
        """Kill every process of the server at once; what was in shared memory alone is gone. Its guard starts it again."""
        self._send(
            signal.SIGSTOP
        )  # so that none notices the others' death and writes something down
        self._send(signal.SIGKILL)

    def destroy(self) -> None:
        self.thaw()
        self.server.leave()
        remove_embedded(self.server)

    def _send(self, number: signal.Signals) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):  # some of its processes end by themselves
                process.send_signal(number)

    def _processes(self) -> list[psutil.Process]:
        """The postmaster first, so that it starts no more."""
        pid = self.server.status().pid
        if pid is None:
            return []
        postmaster = psutil.Process(pid)
        return [postmaster, *postmaster.children(recursive=True)]
