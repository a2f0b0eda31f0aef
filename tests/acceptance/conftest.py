"""Fixtures of the acceptance tests.

demo        the demo, performed twice on the embedded server; all workers of pytest-xdist share one performance
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec
import pytest

from acd.core.errors import Busy
from acd.database.embedded import EmbeddedServer
from acd.database.locks import FileLock
from acd.database.maintenance import remove_embedded
from tests.acceptance.performance import Performance, Stage, perform
from tests.acceptance.program import Program

_PATIENCE = 300.0


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def demo(shared_folder: Path) -> Iterator[Stage]:
    """The first worker that wants it performs it; the last one that has used it takes the database away."""
    curtain, record = FileLock(shared_folder / "demo.lock"), shared_folder / "demo.json"
    with curtain.held(seconds=_PATIENCE) as got:
        assert got, "another worker performs the demo for too long"
        if not record.exists():
            folder = Path(tempfile.mkdtemp(prefix="demo-", dir=shared_folder))
            record.write_bytes(msgspec.json.encode(_perform_well(Program(folder))))
        performance = msgspec.json.decode(record.read_bytes(), type=Performance)
        server = performance.program.embedded
        server.attach()
    yield Stage(performance, server.url)
    with curtain.held(seconds=_PATIENCE):
        _take_away(server, record)


def _perform_well(program: Program) -> Performance:
    """Perform the demo; where that fails, nobody else will take its database away."""
    with ExitStack() as stack:
        stack.callback(remove_embedded, program.embedded)
        played = perform(program)
        failures = played.first.err + played.second.err
        assert (played.first.status, played.second.status) == (0, 0), failures
        stack.pop_all()
    return played


def _take_away(server: EmbeddedServer, record: Path) -> None:
    server.leave()
    with suppress(Busy):  # another worker still uses it
        remove_embedded(server)
        record.unlink(missing_ok=True)
