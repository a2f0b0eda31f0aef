from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.sessions.stage import Stage


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a git identity, as on a new machine."""
    home = tmp_path / "user"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return home


@pytest.fixture
def stage(tmp_path: Path, empty_home: Path) -> Stage:
    """A repository without a feature list."""
    return Stage.build(tmp_path, terminate_grace=5)


@pytest.fixture
def ready(stage: Stage) -> Stage:
    """A repository with a feature list."""
    stage.write_features()
    return stage
