"""Fixtures of the fault tests.

own_server        an embedded server that the test may stop, freeze and kill; nobody revives it behind its back
undisturbed       a database on the shared server, to record the same files in without any fault
proxied           a proxy in front of the database of `database_url`, and that database's URL through it
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.testing.proxy import Address, Proxy


class Proxied(NamedTuple):
    proxy: Proxy
    url: str


@pytest.fixture
async def undisturbed(admin_url: str, template: str, tmp_path: Path) -> AsyncIterator[Database]:
    name = f"undisturbed_{uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    url = urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))
    settings = Settings(home=tmp_path / "undisturbed", database_url=url)
    async with open_database(settings, application="undisturbed") as database:
        yield database
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
async def proxied(database_url: str) -> AsyncIterator[Proxied]:
    places = conninfo_to_dict(database_url)
    host, port = str(places["host"]), int(str(places["port"]))
    server: Address = Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else (host, port)
    async with Proxy(server) as proxy:
        url = (
            f"postgresql://{places['user']}:{places.get('password', '')}@127.0.0.1:{proxy.port}"
            f"/{places['dbname']}?sslmode=disable"
        )
        yield Proxied(proxy, url)
