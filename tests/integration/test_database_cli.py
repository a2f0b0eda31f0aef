"""`acd db` as a user calls it, each call a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.maintenance import remove_embedded

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra


class Acd:
    """Calls `acd db` on a home of its own."""

    def __init__(self, home: Path) -> None:
        self._environment = {"PATH": os.environ["PATH"], "ACD_HOME": str(home), "COLUMNS": "200"}

    def __call__(self, *words: str, status: int = 0, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "acd", "db", *words],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._environment,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr


@pytest.fixture
def acd_db(settings: Settings) -> Iterator[Acd]:
    yield Acd(settings.home)
    server = EmbeddedServer(settings)
    server.release()
    remove_embedded(server)


def test_a_server_is_kept_up_between_commands(acd_db: Acd, tmp_path: Path) -> None:
    before = json.loads(acd_db("status", "--json"))
    assert (before["source"], before["reachable"]) == ("embedded", False)
    acd_db("start")
    found = json.loads(acd_db("status", "--json"))
    assert (found["reachable"], found["timezone"], found["embedded"]["kept"]) == (True, "UTC", True)
    pid = found["embedded"]["pid"]
    assert acd_db("psql", "--", "-Atc", "SELECT current_database()") == "acd_database\n"
    assert "socket" in acd_db("url")
    acd_db("timezone", "Europe/Berlin")
    assert acd_db("psql", "--", "-Atc", "SHOW timezone") == "Europe/Berlin\n"
    file = str(tmp_path / "all.dump")
    acd_db("dump", file)
    acd_db("restore", file)
    assert "Europe/Berlin" in acd_db("status")
    assert json.loads(acd_db("status", "--json"))["embedded"]["pid"] == pid, (
        "one server all the time"
    )
    assert "stopped" in acd_db("stop")
    assert not psutil.pid_exists(pid)


def test_the_database_is_removed_only_when_the_user_says_so(acd_db: Acd) -> None:
    acd_db("upgrade")
    folder = Path(json.loads(acd_db("status", "--json"))["embedded"]["data"])
    assert "nothing was removed" in acd_db("destroy", status=1, stdin="n\n")
    assert folder.exists()
    acd_db("destroy", "--yes")
    assert not folder.exists()


def test_a_wrong_zone_is_told(acd_db: Acd) -> None:
    assert "Mars/Olympus" in acd_db("timezone", "Mars/Olympus", status=1)
