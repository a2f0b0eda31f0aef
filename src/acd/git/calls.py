"""Calling git, hardened: the environment and the options of every call.

Measured (facts/security.md, point 8): `git status` runs the repository's `core.fsmonitor`, `git diff` its
`diff.external`. Further doors that are shut here: hooks, text conversion, clean filters, signature checks
(`log.showSignature` runs `gpg.program`), the pager, and fetching of missing objects in a partial clone (which runs
whatever a remote's address says).

The system's and the user's own configuration stay in force: they are trusted, and hold things like `safe.directory`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from acd.core.errors import GitError

TIME_LIMIT = 30.0
"""Seconds that any one git call may take, but for a checkout."""

CHECKOUT_LIMIT = 600.0
"""Seconds that checking a commit out may take, or a merge."""

OUTPUT_LIMIT = 32 * 1024 * 1024
"""Most bytes that are taken from one git call."""

ERROR_TEXT_LIMIT = 64 * 1024
_INHERITED = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME")
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    # Beats every `protocol.*.allow` of the repository; older gits do not know GIT_NO_LAZY_FETCH.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_SSH_COMMAND": "false",
    "GIT_ASKPASS": "false",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_HARDENED = (
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "log.showSignature=false",
)


class Answer(NamedTuple):
    """What a call gave: its exit status, its output, and what it said on stderr."""

    status: int
    out: bytes
    error: str


async def call_git(
    *arguments: str,
    path: Path | None = None,
    variables: Mapping[str, str] | None = None,
    time_limit: float | None = None,
) -> Answer:
    """Call git.

    Args:
        arguments: its command line.
        path: the folder that it works in.
        variables: further environment, such as who commits.
        time_limit: seconds (default: `TIME_LIMIT`); after them it is killed with all its children.

    Raises:
        GitError: there is no git, or it took too long or printed too much. An exit status that is not 0 is an answer.
    """
    place = [] if path is None else ["-C", str(path)]
    limit = TIME_LIMIT if time_limit is None else time_limit
    environment = environment_of_git() | dict(variables or {})
    process = await start_git(*place, *arguments, environment=environment)
    try:
        async with asyncio.timeout(limit):
            return await _answer(process)
    except TimeoutError as error:
        raise GitError(
            f"git {' '.join([*place, *arguments])[:500]} took longer than {limit:g} s and was stopped"
        ) from error
    finally:
        await stop_git(process)


async def start_git(*arguments: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start a call in a process session of its own; its output and what it says on stderr are pipes.

    Raises:
        GitError: there is no git.
    """
    try:
        return await asyncio.create_subprocess_exec(
            "git",
            *_HARDENED,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed, or not on PATH: install it") from error


async def _answer(process: asyncio.subprocess.Process) -> Answer:
    assert process.stdout is not None  # noqa: S101 - both are pipes, see above
    assert process.stderr is not None  # noqa: S101
    readers = [
        asyncio.create_task(_take(process.stdout, OUTPUT_LIMIT, refuse_more=True)),
        asyncio.create_task(_take(process.stderr, ERROR_TEXT_LIMIT, refuse_more=False)),
    ]
    try:
        out, error = await asyncio.gather(*readers)
    finally:
        for reader in readers:  # whoever ends the process reads the pipes empty, and must be alone
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return Answer(await process.wait(), out, error.decode(errors="replace").strip())


async def _take(stream: asyncio.StreamReader, limit: int, *, refuse_more: bool) -> bytes:
    taken = bytearray()
    while chunk := await stream.read(64 * 1024):
        if len(taken) + len(chunk) > limit and refuse_more:
            raise GitError(f"git printed more than {limit} bytes")
        taken += chunk[: limit - len(taken)]
    return bytes(taken)


async def stop_git(process: asyncio.subprocess.Process) -> None:
    """End a call with all its children, if it has not ended."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):  # it ended just now
        os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()  # empties the pipes, so that nothing of them stays open


def environment_of_git() -> dict[str, str]:
    """The environment of every call."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | _ENVIRONMENT
