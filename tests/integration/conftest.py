"""A database server of a test's own, for tests that stop, freeze or kill one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.faults.server import OwnServer


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[OwnServer]:
    """An embedded server that nobody revives behind the test's back."""
    server = OwnServer(tmp_path / "server")
    try:
        yield server
    finally:
        server.destroy()
