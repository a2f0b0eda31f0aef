"""Starting the process that calls Apprise, and reading its answers."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

import msgspec

from acd.core.errors import AcdError
from acd.harness.environment import inherited
from acd.notify.addresses import Address
from acd.notify.wire import THE_URL, Answer, Notice, Request

LONGEST_S = 60.0
"""After so long a process that sends is ended: Apprise gives most services 4 s to answer, but not all of them."""

_ALSO = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY")


class NotSent(AcdError):
    """The process that sends did not do its work."""


async def deliver(
    address: Address, notices: Sequence[Notice], *, longest_s: float = LONGEST_S
) -> AsyncGenerator[Answer]:
    """Send notices in their order; yield an answer for the URL, then one for each notice as soon as it is known.

    Close the generator (`aclosing`): that ends the process.

    Raises:
        NotSent: it took too long or ended before everything was answered.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "acd.notify.apprise_process"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=inherited(os.environ, _ALSO),
        start_new_session=True,  # Ctrl-C in the terminal is for us: what is left is still sent
    )
    deadline = asyncio.get_running_loop().time() + longest_s
    try:
        await _ask(process, Request(address.url, list(notices)))
        for _ in range(len(notices) + 1):
            answer = await _answer(process, deadline)
            cleaned = answer.reason and address.without_secrets(answer.reason)
            yield msgspec.structs.replace(answer, reason=cleaned)
            if answer.index == THE_URL and answer.reason:
                return
    except TimeoutError as error:
        raise NotSent(f"there was no answer within {longest_s:.0f} s") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _ask(process: Process, request: Request) -> None:
    if process.stdin is None:
        raise NotSent("a process was started without its pipes")
    with suppress(ConnectionError):  # it died at once: told where its answer is missed
        process.stdin.write(msgspec.json.encode(request))
        await process.stdin.drain()
        process.stdin.close()


async def _answer(process: Process, deadline: float) -> Answer:
    if process.stdout is None:
        raise NotSent("a process was started without its pipes")
    async with asyncio.timeout_at(deadline):
        line = await process.stdout.readline()
    if not line:
        raise NotSent("the process that sends ended early; is the extra `notify` whole?")
    try:
        return msgspec.json.decode(line, type=Answer)
    except msgspec.DecodeError as error:
        raise NotSent("the process that sends printed what is no answer") from error
