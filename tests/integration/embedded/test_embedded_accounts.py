"""As root and as an ordinary user, in places with long names, and with the system's own programs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from msgspec.structs import replace

from acd.core.settings import Settings
from acd.database.binaries import find_binaries
from acd.database.connection import open_database
from acd.database.embedded import EmbeddedServer
from acd.database.maintenance import remove_embedded

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

if TYPE_CHECKING:
    from tests.integration.embedded.conftest import StartClient

REMOVE = """
from acd.core.environment import load_settings
from acd.database import maintenance
maintenance.destroy(load_settings())
"""


def modes(path: Path) -> dict[Path, int]:
    return {folder: folder.stat().st_mode for folder in [path, *path.parents]}


@pytest.mark.skipif(os.geteuid() != 0, reason="this is what root needs")
async def test_as_root_it_runs_as_nobody_and_no_folder_is_opened(
    settings: Settings, server: EmbeddedServer
) -> None:
    settings.home.mkdir(mode=0o700)
    before = modes(settings.home) | modes(find_binaries("auto").folder)
    async with open_database(settings, application="test"):
        found = server.status()
        assert found.runs_as == "nobody"
        assert psutil.Process(found.pid).username() == "nobody"
        assert not found.data.is_relative_to(settings.home)
    assert modes(settings.home) | modes(find_binaries("auto").folder) == before
    assert list(settings.home.iterdir()) == []


@pytest.mark.parametrize("length", [10, 180], ids=["short", "long"])
def test_as_an_ordinary_user_all_lies_in_the_home_but_a_socket_with_too_long_a_path(
    ordinary: tuple[list[str], Path], start_client: StartClient, length: int
) -> None:
    prefix, theirs = ordinary
    home = theirs / ("h" * length)
    client = start_client(home, prefix=prefix)
    client.ready()
    owner = theirs.stat().st_uid
    (pid,) = [
        int((folder / "postmaster.pid").read_text().split()[0])
        for folder in (home / "postgres").glob("pg*")
    ]
    assert psutil.Process(pid).uids().real == owner
    (socket,) = [
        Path(each.laddr) for each in psutil.Process(pid).net_connections("unix") if each.laddr
    ]
    assert len(os.fsencode(socket)) <= 100
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert socket.is_relative_to(home) == (length == 10)
    assert client.end() == 0
    assert not psutil.pid_exists(pid)
    environment = {"PATH": os.environ["PATH"], "ACD_HOME": str(home)}
    subprocess.run([*prefix, sys.executable, "-c", REMOVE], env=environment, check=True)
    assert not socket.parent.exists()
    assert list(home.iterdir()) == []


def test_a_socket_folder_of_somebody_elses_is_refused(
    ordinary: tuple[list[str], Path], start_client: StartClient
) -> None:
    """/tmp is everybody's: what lies where our socket would go is not trusted."""
    prefix, theirs = ordinary
    home = theirs / ("h" * 180)
    client = start_client(home, prefix=prefix)
    client.ready()
    pid = int(next((home / "postgres").glob("pg*/postmaster.pid")).read_text().split()[0])
    (socket,) = [
        Path(each.laddr) for each in psutil.Process(pid).net_connections("unix") if each.laddr
    ]
    assert client.end() == 0
    socket.parent.chmod(0o755)
    refused = start_client(home, prefix=prefix)
    with pytest.raises(AssertionError, match="status 1"):
        refused.ready()
    socket.parent.chmod(0o700)
    environment = {"PATH": os.environ["PATH"], "ACD_HOME": str(home)}
    subprocess.run([*prefix, sys.executable, "-c", REMOVE], env=environment, check=True)


@pytest.mark.extra
async def test_the_systems_own_programs_serve_as_well(settings: Settings) -> None:
    chosen = replace(settings, embedded_binaries="system")
    server = EmbeddedServer(chosen)
    async with open_database(chosen, application="test") as database:
        found = await database.fetch_one("schema.server")
        assert found
        assert found["server_version"].startswith(f"{server.status().major}.")
    remove_embedded(server)
    assert not server.places.base.exists()
