"""Anything that the OpenAPI document allows, and much that it does not, sent to the real server (schemathesis)."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from acd.core.settings import Settings
from acd.files.folder import SessionFolder
from acd.web.token import read_or_make_token
from tests.integration.api.hooks import SESSION
from tests.integration.api.served import served

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

SEED = Path(__file__).parents[1] / "reports" / "seed.sql"
ROOT = Path(__file__).parents[3]
# What is refused although it fits its schema: cursors that nobody gave out (400), streams of another database (410).
CONFIG = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409", "410"]
"""


@pytest.fixture
def known_rows(database_settings: Settings) -> None:
    """The seed, with session 7 as one of this machine whose lines are here."""
    with psycopg.connect(database_settings.database_url or "") as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(SEED.read_bytes())
        connection.execute(
            "UPDATE harness_sessions SET host = %s WHERE session_number = 7", [socket.gethostname()]
        )
    folder = SessionFolder(database_settings.sessions_dir / SESSION)
    folder.create()
    folder.stream.write_text('{"type":"system"}\n' * 50)


def all_checks(
    settings: Settings, tmp_path: Path, examples: int, phases: str = "examples,coverage,fuzzing"
) -> None:
    """Run every check on every operation.

    Raises:
        AssertionError: with schemathesis's report, for any failure.
    """
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    queue_file = tmp_path / "repo-queue.json"
    queue_file.write_text('{"repos": []}')
    token = read_or_make_token(settings.home)
    with served(replace(settings, queue_file=queue_file)) as address:
        arguments = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "--no-color"),
            *("run", f"{address}/openapi.json", "--checks", "all", "--workers", "1"),
            *("--max-examples", str(examples), "--phases", phases, "--seed", "3"),
            *("--generation-database", "none", "--header", f"Authorization: Bearer {token}"),
        ]
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = {
            **os.environ,
            "HOME": str(tmp_path),
            "SCHEMATHESIS_HOOKS": "tests.integration.api.hooks",
            "PYTHONPATH": paths.rstrip(os.pathsep),
        }
        done = subprocess.run(
            arguments, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
        )
    assert done.returncode == 0, done.stdout[-30000:] + done.stderr[-3000:]
    # Nothing was left out in silence.
    selected = re.search(r"Operations: +(\d+) selected / (\d+) total", done.stdout)
    assert selected
    assert selected[1] == selected[2]
    assert int(selected[1]) >= 29


@pytest.mark.usefixtures("known_rows")
@pytest.mark.timeout(600)
def test_a_few_of_each(database_settings: Settings, tmp_path: Path) -> None:
    all_checks(database_settings, tmp_path, 10, "fuzzing")


@pytest.mark.extra
@pytest.mark.usefixtures("known_rows")
@pytest.mark.timeout(3600)
def test_two_hundred_of_each(database_settings: Settings, tmp_path: Path) -> None:
    all_checks(database_settings, tmp_path, 200)


@pytest.mark.long
@pytest.mark.usefixtures("known_rows")
@pytest.mark.timeout(3600)
def test_a_thousand_of_each(database_settings: Settings, tmp_path: Path) -> None:
    all_checks(database_settings, tmp_path, 1000)
