"""A stage for each test; it fails what leaves a process behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.genuine.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    stage = Stage(tmp_path, database_url)
    yield stage
    left = stage.processes()
    stage.end_all()
    assert left == []
