"""The embedded server starts with its first client and stops after its last, however clients end."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.database.embedded import EmbeddedServer
from acd.database.schema import known_revisions

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

if TYPE_CHECKING:
    from tests.integration.embedded.conftest import StartClient


async def test_it_starts_for_the_first_and_stops_after_the_last(
    settings: Settings, server: EmbeddedServer
) -> None:
    async with open_database(settings, application="first") as first:
        pid = server.status().pid
        assert pid
        async with open_database(settings, application="second") as second:
            assert second.url == first.url
        assert server.status().pid == pid, "one client has left, another is there"
        newest = known_revisions()[-1]
        assert await first.fetch_one("schema.state") == {"revision": newest, "timezone": "UTC"}
    assert server.status().pid is None
    assert not psutil.pid_exists(pid)


async def test_what_was_stored_is_there_again(settings: Settings, server: EmbeddedServer) -> None:
    for count in range(2):
        async with open_database(settings, application="test") as database:
            assert (await database.fetch_one("schema.used")) == {"used": bool(count)}
            async with database.transaction() as transaction:
                await transaction.execute_sql(
                    "INSERT INTO targets (id, repo_id, name, path) "
                    "VALUES (gen_random_uuid(), gen_random_uuid()::text, 'a', '/a')"
                )


def test_it_listens_on_nothing_but_a_socket_of_its_user(server: EmbeddedServer) -> None:
    server.attach()
    with psycopg.connect(server.url) as connection:
        row = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('fsync'), "
            "current_setting('synchronous_commit'), current_database(), current_user"
        ).fetchone()
    assert row == ("", "on", "on", "acd_database", "acd_user")
    found = server.places.socket_folder.stat()
    assert found.st_mode & 0o777 == 0o700
    process = psutil.Process(server.status().pid)
    assert process.net_connections("inet") == []
    assert found.st_uid == process.uids().real
    assert process.uids().real != 0, "PostgreSQL never runs as root"


def test_it_belongs_to_no_terminal_of_a_client(server: EmbeddedServer) -> None:
    server.attach()
    pid = server.status().pid
    assert pid
    assert os.getsid(pid) != os.getsid(0)


def test_ctrl_c_in_one_client_leaves_it_to_the_others(
    server: EmbeddedServer, settings: Settings, start_client: StartClient
) -> None:
    starter = start_client(settings.home)
    starter.ready()
    pid = server.status().pid
    server.attach()
    starter.interrupt_group()
    assert server.status().pid == pid
    psycopg.connect(server.url).close()


def test_the_last_client_killed_stops_it_too(
    server: EmbeddedServer,
    settings: Settings,
    start_client: StartClient,
    wait_until_stopped: Callable[[EmbeddedServer], None],
) -> None:
    clients = [start_client(settings.home) for _ in range(2)]
    for client in clients:
        client.ready()
    clients[0].kill()
    clients[1].kill()
    wait_until_stopped(server)


def test_three_starts_at_once_make_one_database(
    settings: Settings, server: EmbeddedServer, start_client: StartClient
) -> None:
    clients = [start_client(settings.home) for _ in range(3)]
    seen = {client.ready()[0] for client in clients}
    assert len(seen) == 1
    assert [client.end() for client in clients] == [0, 0, 0]
    assert server.status().pid is None


@pytest.mark.extra
@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "xx_YY.nonsense", "LC_ALL": "tlh_KX.EBCDIC", "LC_CTYPE": "C"},
        {
            "PGTZ": "Asia/Tokyo",
            "PGHOST": "nowhere.invalid",
            "PGPORT": "1",
            "PGUSER": "somebody",
            "PGDATABASE": "none",
            "PGPASSWORD": "x",
            "PGDATA": "/nowhere",
            "PGSSLMODE": "verify-full",
            "PGREQUIREAUTH": "scram-sha-256",
            "PGOPTIONS": "-c statement_timeout=1",
        },
    ],
    ids=["locale", "libpq"],
)
def test_a_foreign_environment_changes_nothing(
    settings: Settings,
    server: EmbeddedServer,
    start_client: StartClient,
    environment: dict[str, str],
) -> None:
    client = start_client(settings.home, **environment)
    assert client.ready()[1:] == ["UTC", "UTF8"]
    with psycopg.connect(server.url) as connection:
        row = connection.execute(
            "SELECT current_setting('TimeZone'), datcollate, pg_encoding_to_char(encoding), datlocale "
            "FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row == ("UTC", "C", "UTF8", "C.UTF-8")
    assert client.end() == 0


def test_it_is_kept_up_on_demand(server: EmbeddedServer) -> None:
    server.attach()
    server.keep()
    server.leave()
    assert server.status().kept
    pid = server.status().pid
    assert pid
    server.release()
    server.wait_until_stopped()
    assert server.status().pid is None
