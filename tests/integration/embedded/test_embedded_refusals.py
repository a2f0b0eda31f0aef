"""What cannot be used is left alone, with a message that says what to do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from acd.core.errors import Busy, DatabaseRefused
from acd.core.settings import Settings
from acd.database import maintenance
from acd.database.embedded import EmbeddedServer
from acd.database.places import make_base, places_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

if TYPE_CHECKING:
    from tests.integration.embedded.conftest import StartClient


@pytest.fixture
def data(server: EmbeddedServer) -> Path:
    """A data folder that is not there yet, in a base that is."""
    make_base(server.places)
    return server.status().data


def test_the_data_of_another_version_is_left_alone(server: EmbeddedServer, data: Path) -> None:
    old = data.with_name("pg17")
    old.mkdir()
    (old / "PG_VERSION").write_text("17\n")
    with pytest.raises(
        DatabaseRefused, match=r"pg17 holds a database of PostgreSQL 17.*acd db dump"
    ):
        server.attach()
    assert not data.exists()


def test_a_folder_with_data_of_a_version_that_its_name_denies(
    server: EmbeddedServer, data: Path
) -> None:
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(DatabaseRefused, match="PostgreSQL 16"):
        server.attach()
    assert [file.name for file in data.iterdir()] == ["PG_VERSION"]


def test_a_folder_that_is_not_empty_is_never_initialised(
    server: EmbeddedServer, data: Path
) -> None:
    data.mkdir()
    (data / "precious.txt").write_text("mine")
    with pytest.raises(DatabaseRefused, match="not empty"):
        server.attach()
    assert (data / "precious.txt").read_text() == "mine"


def test_what_a_killed_start_left_is_no_obstacle(server: EmbeddedServer, data: Path) -> None:
    half = data.with_name(data.name + ".new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server.attach()
    assert data.exists()
    assert not half.exists()


def test_a_server_that_cannot_start_tells_its_own_words(server: EmbeddedServer, data: Path) -> None:
    server.attach()
    server.leave()
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write("work_mem = 'none'\n")
    with pytest.raises(DatabaseRefused, match="work_mem"):
        server.attach()


def test_destroying_what_somebody_uses_is_refused(
    settings: Settings, server: EmbeddedServer, start_client: StartClient
) -> None:
    client = start_client(settings.home)
    client.ready()
    with pytest.raises(Busy, match="in use"):
        maintenance.destroy(settings)
    assert client.end() == 0
    maintenance.destroy(settings)
    assert not server.places.base.exists()


def test_only_the_embedded_database_is_destroyed(settings: Settings) -> None:
    given = replace(settings, database_url="postgresql://127.0.0.1/records")
    with pytest.raises(DatabaseRefused, match="DATABASE_URL is set"):
        maintenance.destroy(given)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has more than one user")
def test_root_does_not_touch_the_database_of_an_ordinary_user(settings: Settings) -> None:
    theirs = settings.home / "postgres" / "pg18"
    theirs.mkdir(parents=True)
    with pytest.raises(DatabaseRefused, match="call acd as that user"):
        places_of(settings.home)
    shutil.rmtree(theirs)
    assert places_of(settings.home).account
