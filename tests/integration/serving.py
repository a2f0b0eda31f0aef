"""The real server in the test's own event loop, on a free port of loopback, and the known rows of `reports/seed.sql`."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from acd.core.environment import load_settings
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger.lookout import Lookout
from acd.reports import stream
from acd.server import serve

SEED = Path(__file__).parent / "reports" / "seed.sql"


def put_seed(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(SEED.read_bytes())


async def settled(database: Database) -> None:
    """Wait until nothing hides what is recorded by now.

    The stream is read up to the oldest transaction that runs on the server, and other tests share the server: each of
    their transactions, in whichever database, hides for a while what was committed after it began.
    """
    newest = (
        "SELECT coalesce(max(txid), '0')::text AS newest FROM "
        "(SELECT txid FROM session_events UNION ALL SELECT txid FROM request_owners) AS told"
    )
    with psycopg.connect(database.url) as connection:
        row = connection.execute(newest).fetchone()
    async with asyncio.timeout(60):
        while (await stream.horizon(database, 0)).txid <= int(row[0] if row else 0):
            await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(database: Database, settings: Settings, *, port: int = 0) -> AsyncIterator[str]:
    """The server's address while it serves, with the defaults of a home."""
    async with serving_as_set(database, load_settings(home=settings.home, port=port)) as address:
        yield address


@asynccontextmanager
async def serving_as_set(database: Database, settings: Settings) -> AsyncIterator[str]:
    """The server's address while it serves; stopped the way its owner stops it, by cancelling it."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(
        serve(
            database,
            settings,
            pending=Lookout(database, settings).backlog,
            ready=address.set_result,
        )
    )
    started: list[asyncio.Future[Any]] = [server, address]
    await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
    if server.done():
        server.result()
    try:
        yield address.result()
    finally:
        server.cancel()
        with suppress(asyncio.CancelledError):
            await server


@contextmanager
def serving_process(
    database_url: str, folder: Path, **more: str
) -> Iterator[tuple[psutil.Process, str]]:
    """`acd serve` as a process of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ACD_HOME": str(folder / "home"),
        "DATABASE_URL": database_url,
        "BACKEND_PORT": "0",
        **more,
    }
    command = [sys.executable, "-m", "acd", "serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r"http://\S+", line):
                    yield psutil.Process(process.pid), found[0]
                    break
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
