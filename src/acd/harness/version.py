"""Finding an agent's program and asking it for its version."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from uuid import UUID

from acd.agents.protocol import Adapter, Binary
from acd.agents.version import checked
from acd.core.errors import AgentMissing
from acd.core.settings import Settings
from acd.harness.environment import agent_environment, names_in

_TIME_LIMIT = 30.0
_NO_SESSION = UUID(int=0)


async def find_binary(adapter: Adapter, settings: Settings) -> Binary:
    """The agent's program with its version, where its adapter needs one. Starts it once: keep the answer.

    Raises:
        AgentMissing: there is none, or it does not start or answer.
        AgentTooOld: it is older than what its adapter can read.
    """
    binary = adapter.find(settings)
    if adapter.minimum_version is None:
        return binary
    return checked(adapter, binary, await _version_text(adapter, binary, settings))


async def _version_text(adapter: Adapter, binary: Binary, settings: Settings) -> str:
    environment = agent_environment(
        os.environ,
        _NO_SESSION,
        inherit=[*adapter.environment_names, *names_in(settings.agent_env)],
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *binary.argv,
            "--version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
    except OSError as error:
        raise AgentMissing(
            f"{adapter.name}: {binary.argv[0]} cannot be started: {error}"
        ) from error
    try:
        async with asyncio.timeout(_TIME_LIMIT):
            out, _ = await process.communicate()
    except TimeoutError as error:
        raise AgentMissing(
            f"{adapter.name}: {binary.argv[0]} --version gave no answer in {_TIME_LIMIT:g} s"
        ) from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return out.decode(errors="replace")
