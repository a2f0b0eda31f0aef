"""The data folder: made once, atomically, and never over anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from acd.core.errors import DatabaseRefused
from acd.database.binaries import Binaries
from acd.database.places import DATABASE, USER, Account, Places

_BUILTIN_LOCALE_SINCE = 17
_FOLDER = re.compile(r"pg(\d+)")
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def server_environment() -> dict[str, str]:
    """Environment of the server's programs: no locale of the user's (a bogus LANG breaks initdb), no PG variable."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def guard_environment() -> dict[str, str]:
    """Environment of the guard: none of its first client's secrets, and not the mark by which an agent's strays are found."""
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "PYTHONHOME") if name in os.environ}
    return kept | server_environment()


def prepare_cluster(places: Places, binaries: Binaries) -> Path:
    """The data folder, made where there is none. Call it with the gate held.

    Raises:
        DatabaseRefused: the folder has data of another version, or something that is no data; or it cannot be made.
    """
    data = places.data(binaries.major)
    if data.is_dir() and any(_entries(data)):
        _check(data, binaries)
        return data
    _refuse_other_versions(places, binaries)
    try:
        _create(data, places.account, binaries)
    except OSError as error:
        raise DatabaseRefused(f"the database folder {data} cannot be made: {error}") from error
    return data


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise DatabaseRefused(f"the database folder {folder} cannot be read: {error}") from error


def _check(data: Path, binaries: Binaries) -> None:
    version = data / "PG_VERSION"
    if not version.is_file():
        raise DatabaseRefused(
            f"{data} is not empty and is no database: move what is in it away (acd never writes over it)"
        )
    found = version.read_text().strip()
    if found != str(binaries.major):
        raise DatabaseRefused(_other_version(data, found, binaries))
    owner, we = data.stat().st_uid, os.geteuid()
    if we not in {0, owner}:
        raise DatabaseRefused(
            f"{data} belongs to user {owner} and we are user {we}: call acd as that user"
        )


def _refuse_other_versions(places: Places, binaries: Binaries) -> None:
    for folder in _entries(places.base):
        match = _FOLDER.fullmatch(folder.name)
        if match and (folder / "PG_VERSION").is_file():
            raise DatabaseRefused(_other_version(folder, match[1], binaries))


def _other_version(data: Path, found: str, binaries: Binaries) -> str:
    return (
        f"{data} holds a database of PostgreSQL {found}, and the PostgreSQL here ({binaries.source}) is "
        f"{binaries.major}: with the old version call `acd db dump`, move the folder away, then `acd db restore`; "
        "or set ACD_EMBEDDED_BINARIES to the source of the old version"
    )


def _create(data: Path, account: Account | None, binaries: Binaries) -> None:
    """Make the cluster and our database beside the place where it shall be, then rename."""
    draft = data.with_name(data.name + ".new")
    if draft.exists():  # left by a start that was killed: it never was a database
        shutil.rmtree(draft)
    draft.mkdir(mode=0o700)
    if account:
        os.chown(draft, account.uid, account.gid)
    locale = (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if binaries.major >= _BUILTIN_LOCALE_SINCE
        else ["--locale=C"]
    )
    initdb = [str(binaries.folder / "initdb"), "-D", str(draft), "-U", USER, "-A", "trust"]
    _call([*initdb, "-E", "UTF8", *locale, "--no-instructions"], account)
    single = [str(binaries.folder / "postgres"), "--single", "-D", str(draft)]
    _call([*single, "-c", "exit_on_error=on", "postgres"], account, f"CREATE DATABASE {DATABASE}\n")
    draft.rename(data)


def _call(command: list[str], account: Account | None, text: str = "") -> None:
    """Run a program of the server's to its end, as the account, outside the user's terminal session."""
    done = subprocess.run(
        command,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=server_environment(),
        cwd="/",
        start_new_session=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode:
        raise DatabaseRefused(f"{Path(command[0]).name} failed: {done.stdout.strip()}")
