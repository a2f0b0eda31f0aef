"""Databases to measure on: one embedded server a run, each database a copy of a migrated template."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.maintenance import remove_embedded
from acd.database.schema import upgrade


@dataclass
class Scratch:
    """A folder and a server that are gone when the block ends."""

    folder: Path
    server: EmbeddedServer
    _made: int = field(default=0)

    async def create_template(self) -> None:
        """Migrate the database that the others are copied from."""
        self._create("template", "template0")
        await upgrade(self.url("template"), timezone="UTC")

    def create(self) -> str:
        """URL of a fresh migrated database."""
        self._made += 1
        name = f"bench_{self._made}"
        self._create(name, "template")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database."""
        name = sql.Identifier(urlsplit(url).path.removeprefix("/"))
        self._admin(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def url(self, name: str) -> str:
        """URL of a database of this server."""
        return urlunsplit(urlsplit(self.server.places.url("postgres"))._replace(path=f"/{name}"))

    def _create(self, name: str, template: str) -> None:
        names = sql.Identifier(name), sql.Identifier(template)
        self._admin(sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(*names))
        zone = sql.SQL("ALTER DATABASE {} SET timezone TO 'UTC'").format(names[0])
        self._admin(zone)

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as admin:
            admin.execute(statement)


@contextmanager
def scratch_server() -> Iterator[Scratch]:
    """An embedded server in a folder of its own, both removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="acd-bench-") as name:
        server = EmbeddedServer(Settings(home=Path(name) / "home"))
        server.attach()
        try:
            yield Scratch(Path(name), server)
        finally:
            server.leave()
            remove_embedded(server)
