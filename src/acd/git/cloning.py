"""Cloning: the one call that talks to servers."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

from acd.core.errors import GitError
from acd.git.calls import ERROR_TEXT_LIMIT, environment_of_git, start_git, stop_git

# A clone alone talks to servers: by these ways only (never `ext::`, which names a program), and asks nobody.
_TO_SERVERS = {
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "SSH_ASKPASS_REQUIRE": "never",
}
_FOR_SERVERS = (
    "SSH_AUTH_SOCK",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
)


async def clone(
    address: str, folder: Path, *, time_limit: float, tell: Callable[[str], None]
) -> None:
    """Clone a repository into a folder that does not exist yet; `tell` is given git's own words on how far it is.

    Nothing that the repository says is run: no hooks, no submodules, no `ext::` addresses. Asks nobody: a server that
    wants a login gets what the user's own git is set up with (credential helper, ssh agent), or refuses.

    Raises:
        GitError: it could not be cloned, with what git said. What is in the folder then is of no use.
    """
    reached = f"git clone {address}"
    variables = {name: os.environ[name] for name in _FOR_SERVERS if name in os.environ}
    environment = {**environment_of_git(), **variables, **_TO_SERVERS}
    del environment["GIT_SSH_COMMAND"]
    options = ("--progress", "--no-recurse-submodules")
    process = await start_git(
        "clone", *options, "--", address, str(folder), environment=environment
    )
    assert process.stderr is not None  # noqa: S101 - a pipe, see `start_git`
    try:
        async with asyncio.timeout(time_limit):
            said = await _progress(process.stderr, tell)
            status = await process.wait()
    except TimeoutError as error:
        raise GitError(f"{reached} took longer than {time_limit:g} s and was stopped") from error
    finally:
        await stop_git(process)
    if status:
        raise GitError(f"{reached}: {said or f'exit {status}'}")


async def _progress(stream: asyncio.StreamReader, tell: Callable[[str], None]) -> str:
    """Tell what git shows of its progress (lines that end with CR); what it says otherwise."""
    said, rest = "", ""
    while chunk := await stream.read(64 * 1024):
        *shown, rest = re.split(r"(?<=[\r\n])", rest + chunk.decode(errors="replace"))
        for line in shown:
            if line.endswith("\r"):
                tell(line.strip())
            elif not line.startswith(("Cloning into", "remote: ")):
                said = (said + line)[-ERROR_TEXT_LIMIT:]
    return (said + rest).strip()
