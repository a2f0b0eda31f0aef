"""Fixtures that all tests share. A test that needs PostgreSQL asks for `database` (or `database_url`) and gets a
migrated database of its own, on one server for the whole run.

    settings            Settings with an empty home of its own; no database
    database_url        URL of a fresh migrated database
    module_database_url URL of a migrated database that the tests of one module share
    empty_database_url  URL of a fresh database without a schema
    database            a fresh migrated one, opened
    database_settings   settings whose database is that one
    admin_url           URL with which databases can be created: the embedded server, or ACD_TEST_DATABASE_URL
    postgres15          admin URL of a PostgreSQL 15 that this machine must have (use it with @pytest.mark.extra)
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from acd.core.errors import Busy
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.database.embedded import EmbeddedServer
from acd.database.maintenance import remove_embedded
from acd.database.schema import upgrade

PG15 = Path("/usr/lib/postgresql/15/bin")
# COLUMNS: pytest-xdist tells it to its workers.
_STEERING = ("ACD_", "PG", "DATABASE_URL", "BACKEND_PORT", "CLAUDE_", "ANTHROPIC_", "COLUMNS")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own settings reaches a test."""
    for name in os.environ:
        if name.startswith(_STEERING):
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def database_settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(home=tmp_path / "home", database_url=database_url)


@pytest.fixture(scope="session")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server of this run: all workers of pytest-xdist share it.

    It need not outlive a power cut: without fsync a database is made in half the time and dropped in a thirtieth.
    """
    given = os.environ.get("ACD_TEST_DATABASE_URL")
    if given:
        yield given
        return
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    server = EmbeddedServer(Settings(home=shared / "server"))
    server.attach()
    with psycopg.connect(server.places.url("postgres"), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET fsync = off")
        admin.execute("SELECT pg_reload_conf()")
    yield server.places.url("postgres")
    server.leave()
    with suppress(Busy):  # another worker still uses it: the last one removes it
        remove_embedded(server)


@pytest.fixture(scope="session")
def template(admin_url: str) -> Iterator[str]:
    """Name of a migrated database to copy."""
    name = f"template_{uuid4().hex}"
    with _created(admin_url, name) as url:
        asyncio.run(upgrade(url, timezone="UTC"))
        yield name


@pytest.fixture
def database_url(admin_url: str, template: str) -> Iterator[str]:
    with _created(admin_url, f"test_{uuid4().hex}", template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(admin_url: str, template: str) -> Iterator[str]:
    """For tests of one module that only read what was written once."""
    with _created(admin_url, f"test_{uuid4().hex}", template) as url:
        yield url


@pytest.fixture
def empty_database_url(admin_url: str) -> Iterator[str]:
    """URL of a fresh database without a schema."""
    with _created(admin_url, f"test_{uuid4().hex}") as url:
        yield url


@pytest.fixture
async def database(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    opened = open_database(
        Settings(home=tmp_path / "home", database_url=database_url), application="test"
    )
    async with opened as database:
        yield database


class _created:  # noqa: N801 - reads as a word in `with`
    """A database for the length of a block."""

    def __init__(self, admin_url: str, name: str, template: str = "template0") -> None:
        self._admin_url = admin_url
        self._name = sql.Identifier(name)
        self._template = sql.Identifier(template)
        self._url = urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))

    def __enter__(self) -> str:
        with psycopg.connect(self._admin_url, autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(
                    self._name, self._template
                )
            )
            admin.execute(sql.SQL("ALTER DATABASE {} SET timezone TO 'UTC'").format(self._name))
        return self._url

    def __exit__(self, *_: object) -> None:
        with psycopg.connect(self._admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(self._name))


@pytest.fixture(scope="session")
def postgres15() -> Iterator[str]:
    """A PostgreSQL 15 of the system's, on loopback, as an ordinary account when we are root."""
    if not (PG15 / "postgres").exists():
        pytest.fail(f"{PG15} is missing: install postgresql-15 (tests marked `extra` need it)")
    folder = Path(tempfile.mkdtemp(prefix="acd-pg15-"))
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    who = account.pw_uid if account else None
    initdb = f"{PG15}/initdb -D {data} -U acd_user -A trust -E UTF8 --locale=C".split()
    subprocess.run(initdb, user=who, check=True, capture_output=True, cwd="/")
    options = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [PG15 / "postgres", "-D", data, *words], user=who, stdout=log, stderr=log, cwd="/"
        )
    url = f"postgresql://acd_user@127.0.0.1:{port}/postgres"
    try:
        _wait_until_up(url)
        yield url
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder)


def _wait_until_up(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def database15_url(postgres15: str) -> Iterator[str]:
    """An empty database (no schema) on PostgreSQL 15."""
    with _created(postgres15, f"test_{uuid4().hex}") as url:
        yield url


# ---- what a tier leaves out is said, not hidden -------------------------------------------------------------------

_LEFT_OUT: dict[str, set[str]] = {"extra": set(), "long": set()}
_TIERS = {"extra": "make test-all", "long": "make faults"}


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:  # one that is `extra` too is run where the `long` ones are
        tier = next((each for each in ("long", "extra") if item.get_closest_marker(each)), None)
        if tier is not None:
            _LEFT_OUT[tier].add(item.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands what it left out to the process that writes the summary."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = {tier: sorted(names) for tier, names in _LEFT_OUT.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    left_out = getattr(node, "workeroutput", {}).get("left_out", {})
    for tier, names in left_out.items():
        _LEFT_OUT[tier].update(names)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for tier, command in _TIERS.items():
        if names := _LEFT_OUT[tier]:
            terminalreporter.write_line(f"{len(names)} tests marked {tier} are left to `{command}`")
