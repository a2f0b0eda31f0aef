"""Python, git, disk, permissions, the port, agents that nobody looks after."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psutil

from acd.cli.checks.finding import Finding, fail, ok, warn
from acd.core.errors import GitError
from acd.core.settings import Settings
from acd.files.folder import SessionFolder
from acd.files.locks import is_held
from acd.git import Repository, git_version
from acd.harness.environment import MARK
from acd.server import port_holder

_OLDEST_PYTHON = (3, 11)
_OLDEST_GIT = (2, 31)
"""The first whose `git log` knows `--diff-merges=off`, which commits are counted with."""


async def check_programs() -> list[Finding]:
    """Python and git."""
    version = platform.python_version()
    found = [
        ok("python", version)
        if sys.version_info >= _OLDEST_PYTHON
        else fail("python", version, "Install Python 3.11 or later.")
    ]
    try:
        git = await git_version()
        found.append(_git(git))
        if not await Repository(Path.cwd()).has_identity():
            found.append(
                warn(
                    "git identity",
                    "git does not know who you are, so agents commit as acd <acd@localhost>",
                    'git config --global user.name "…"; git config --global user.email …',
                )
            )
    except GitError as error:
        found.append(fail("git", str(error), "Install git (Debian: apt install git)."))
    return found


def _git(version: str) -> Finding:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < _OLDEST_GIT:
        return fail("git", version, "Install git 2.31 or later.")
    return ok("git", version)


def check_home(settings: Settings) -> list[Finding]:
    """Space and permissions of ACD_HOME."""
    home = settings.home.absolute()
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    return [_space(there, settings.free_space_floor), *_permissions(home, there)]


def _space(folder: Path, floor: int) -> Finding:
    free = shutil.disk_usage(folder).free
    message = f"{_gigabytes(free)} free at {folder}"
    if free < floor:
        return fail(
            "disk",
            f"{message}; no session starts with less than {_gigabytes(floor)}",
            "Make room, or set ACD_HOME to a larger disk.",
        )
    if free < 4 * floor:
        return warn("disk", message, f"Sessions stop starting below {_gigabytes(floor)}.")
    return ok("disk", message)


def _gigabytes(size: int) -> str:
    return f"{size / 1024**3:.1f} GB"


def _permissions(home: Path, there: Path) -> Iterator[Finding]:
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        yield fail(
            "home",
            f"{there} cannot be written: {error.strerror}",
            "Set ACD_HOME to a folder of yours, or mend its permissions.",
        )
        return
    if there != home:
        yield ok("home", f"{home} will be made when it is needed")
        return
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        yield warn(
            "home",
            f"{home} has mode {mode:04o}: other users can see into it (session folders themselves are private)",
            f"chmod 700 {home}",
        )
    else:
        yield ok("home", f"{home} is writable and private")


def check_port(settings: Settings) -> Finding:
    """Whether the API's port is free."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    host = settings.host.strip("[]")
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, settings.port))
            probe.listen()
        except OSError as error:
            holder = port_holder(settings.port)
            return warn(
                "port",
                f"{settings.host}:{settings.port} cannot be had ({error.strerror}); {holder} has it",
                "Fine if that is another acd. Else set BACKEND_PORT; sessions are recorded all the same.",
            )
    return ok("port", f"{settings.host}:{settings.port} is free")


def check_strays(settings: Settings) -> Iterator[Finding]:
    """Processes of sessions whose harness is gone."""
    for process, session_id in _marked():
        folder = SessionFolder(settings.sessions_dir / str(session_id))
        if folder.path.is_dir() and not is_held(folder.lock):
            yield warn(
                "stray agent",
                f"process {process.pid} ({process.info['name']}) of session {session_id} is alone",
                "acd run takes it over or ends it.",
            )


def _marked() -> Iterator[tuple[psutil.Process, UUID]]:
    for process in psutil.process_iter(["name", "environ"]):
        mark = (process.info["environ"] or {}).get(MARK)
        if mark and process.pid != os.getpid():
            try:
                yield process, UUID(mark)
            except ValueError:  # somebody else's variable of that name
                continue
