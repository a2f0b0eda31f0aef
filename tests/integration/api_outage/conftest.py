"""Fixtures of the outage tests.

own_server   an embedded server that the test may stop and freeze; nobody revives it behind its back
served       `acd serve` over it, a process of its own
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.api_outage.readers import PATIENCE
from tests.integration.faults.server import OwnServer


class Served(NamedTuple):
    process: subprocess.Popen[bytes]
    address: str
    log: Path


@pytest.fixture
def served(own_server: OwnServer, tmp_path: Path) -> Iterator[Served]:
    log = tmp_path / "log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ACD_HOME": str(tmp_path / "home"),
        "DATABASE_URL": own_server.url,
        "BACKEND_PORT": "0",
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "acd", "serve"],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield Served(process, _address(process, log), log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it serves, once it says so."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    pytest.fail("the server never said where it serves")
