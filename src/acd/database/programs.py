"""PostgreSQL's own client programs (psql, pg_dump, pg_restore), called on our database."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import make_conninfo

from acd.core.errors import DatabaseError, DatabaseRefused
from acd.core.settings import Settings
from acd.database.binaries import find_binaries
from acd.database.schema import without_pg
from acd.database.wire import parameters

# What only our libpq knows or needs; psql of 15 would stumble over a newer one's words.
_COMMON = (
    "host",
    "hostaddr",
    "port",
    "user",
    "dbname",
    "sslmode",
    "sslrootcert",
    "connect_timeout",
)


def find_program(settings: Settings, name: str) -> Path:
    """Path of psql, pg_dump or pg_restore: beside the embedded server's programs, else on PATH.

    Raises:
        DatabaseRefused: there is none.
    """
    try:
        return find_binaries(settings.embedded_binaries).folder / name
    except DatabaseRefused:
        found = shutil.which(name)
        if found is None:
            raise
        return Path(found)


def call_program(command: list[str], url: str) -> None:
    """Run one to its end; its words become the error's.

    Raises:
        DatabaseError: it failed.
    """
    done = subprocess.run(
        [*command, "--dbname", _conninfo(url)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_environment(url),
        check=False,
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise DatabaseError(f"{Path(command[0]).name} failed: {words}")


def call_psql(settings: Settings, url: str, arguments: list[str]) -> int:
    """Run psql in the user's terminal; its exit status."""
    command = [str(find_program(settings, "psql")), *arguments, "--dbname", _conninfo(url)]
    return subprocess.call(command, env=_environment(url))


def _conninfo(url: str) -> str:
    """Connection string without the password: a command line can be read by everybody on the machine."""
    found = parameters(url, "acd")
    return make_conninfo("", **{key: found[key] for key in _COMMON if found.get(key)})


def _environment(url: str) -> dict[str, str]:
    environment = without_pg(os.environ)
    password = parameters(url, "acd").get("password")
    return environment | ({"PGPASSWORD": password} if password else {})
