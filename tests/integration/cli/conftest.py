"""The program itself, on a database of the test's own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from acd.cli.main import main

SEED = Path(__file__).parents[1] / "reports" / "seed.sql"


Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    home = tmp_path / "user"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TZ": "UTC",
        "ACD_HOME": str(tmp_path / "home"),
        "DATABASE_URL": database_url,
        "ACD_QUEUE_FILE": str(tmp_path / "repo-queue.json"),
        "BACKEND_PORT": "0",
    }


@pytest.fixture
def program(environment: dict[str, str], tmp_path: Path) -> Program:
    """Runs the program as a process, to its end; further environment variables by keyword."""

    def call(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "acd", *arguments],
            capture_output=True,
            text=True,
            timeout=90,
            env=environment | more,
            cwd=tmp_path,
            check=False,
        )

    return call


@pytest.fixture
def acd(environment: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Program:
    """Calls `main` in this process, for commands that only look: a process costs ten times as much."""

    def call(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        status: object = None
        with pytest.MonkeyPatch.context() as patch, _logging_kept():
            for name, value in (environment | more).items():
                patch.setenv(name, value)
            patch.setattr(sys, "excepthook", sys.excepthook)
            patch.chdir(tmp_path)
            try:
                main(list(arguments))
            except SystemExit as exit_:
                status = exit_.code
        assert isinstance(status, int)
        return subprocess.CompletedProcess(arguments, status, *capfd.readouterr())

    return call


@contextmanager
def _logging_kept() -> Iterator[None]:
    """The program sets logging up for itself; pytest has its own handlers."""
    root, ours = logging.getLogger(), logging.getLogger("acd")
    before = root.handlers, root.level, ours.level
    try:
        yield
    finally:
        root.handlers = before[0]
        root.setLevel(before[1])
        ours.setLevel(before[2])


@pytest.fixture
def seed(database_url: str) -> Callable[[], None]:
    """Puts the known rows of the reports' tests into the database."""

    def fill() -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute("SET TIME ZONE 'UTC'")
            connection.execute(SEED.read_bytes())

    return fill
