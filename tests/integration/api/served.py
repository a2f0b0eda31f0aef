"""The real server on a port of its own, in a thread with a loop of its own, while a test (or its child) calls it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from msgspec.structs import replace

from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.server import serve


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The server's address; the settings name the database."""
    started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(settings, started)), daemon=True)
    thread.start()
    address, loop, stop = started.result(60)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        assert not thread.is_alive()


async def _serve(
    settings: Settings, started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        async with open_database(settings, application="acd test") as database:
            server = asyncio.create_task(
                serve(
                    database,
                    replace(settings, port=0),
                    ready=lambda address: started.set_result((address, loop, stop)),
                )
            )
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([server, stopping], return_when=asyncio.FIRST_COMPLETED)
            server.cancel()
            await asyncio.gather(server, stopping, return_exceptions=True)
            if not stop.is_set():
                server.result()
    except BaseException as error:
        if not started.done():
            started.set_exception(error)
        raise
