"""PostgreSQL's own client programs (psql, pg_dump, pg_restore), called on our database."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from psycopg.conninfo import make_conninfo

from acd.core.errors import DatabaseError, DatabaseRefused
from acd.core.settings import Settings
from acd.database.binaries import find_binaries
from acd.database.schema import without_pg
from acd.database.wire import parameters

# What only our libpq knows or needs; psql of 15 would stumble over a newer one's words.
_COMMON = (
    *("host", "hostaddr", "port", "user", "dbname", "connect_timeout"),
    *("sslmode", "sslrootcert", "sslcert", "sslkey"),
)
_NEW_SETTINGS = (b"SET transaction_timeout",)
_END_OF_HEAD = (b"SET row_security", b"CREATE ", b"DROP ", b"ALTER ", b"COPY ")


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
    _insist([*command, "--dbname", _conninfo(url)], url)


def _insist(command: list[str], url: str) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_environment(url),
        check=False,
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise DatabaseError(f"{Path(command[0]).name} failed: {words}")


def restore_dump(settings: Settings, file: Path, url: str, *, clean: bool) -> None:
    """Write what is in a dump into a database, in one transaction; `clean` drops what the dump has there first.

    pg_restore of 17 and later, connected to a server that is older than itself, stops at a setting that the server
    does not know. So it writes SQL, which we pass on without that setting, and only when it has written all of it:
    a dump that breaks off is never committed.

    Raises:
        DatabaseError: the dump cannot be read, or the server refuses it; the database is as it was before.
    """
    with tempfile.TemporaryDirectory(prefix="acd-restore-") as folder:
        script, fitting = Path(folder, "all.sql"), Path(folder, "fitting.sql")
        command = [str(find_program(settings, "pg_restore")), "--no-owner", "--no-acl"]
        command += ["--clean", "--if-exists"] if clean else []
        _insist([*command, f"--file={script}", str(file)], url)
        _leave_out_new_settings(script, fitting)
        psql = [
            str(find_program(settings, "psql")),
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
        ]
        call_program([*psql, "--set=ON_ERROR_STOP=1", f"--file={fitting}"], url)


def _leave_out_new_settings(script: Path, fitting: Path) -> None:
    """Copy the script without settings that PostgreSQL 15 lacks. They stand at its head, before anything else."""
    with script.open("rb") as source, fitting.open("wb") as target:
        for line in source:
            if not line.startswith(_NEW_SETTINGS):
                target.write(line)
            if line.startswith(_END_OF_HEAD):
                break
        shutil.copyfileobj(source, target)


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
