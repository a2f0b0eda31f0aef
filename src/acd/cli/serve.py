"""`acd serve`: the API and the pages without any work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from typing import Annotated

import typer

from acd.cli.opened import make_home
from acd.cli.options import DatabaseUrl, Home, QueueFile, Verbose, new_app
from acd.cli.output import say
from acd.core.environment import load_settings
from acd.core.errors import DatabaseAway
from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.ledger.recorder import Recorder
from acd.queue.status_file import kept_status_file
from acd.server import serve as serve_until_cancelled

app = new_app()
logger = logging.getLogger("acd.cli")

_LOOK_S = 30.0


@app.command()
def serve(
    home: Home = None,
    database_url: DatabaseUrl = None,
    queue: QueueFile = None,
    login: Annotated[
        bool, typer.Option("--login", help="Print a link that lets one browser change things.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Serve the API and the pages until stopped, and record what waits in files of this machine."""
    settings = load_settings(home=home, database_url=database_url, queue_file=queue)
    make_home(settings)
    asyncio.run(_serve(settings, login=_tell_login if login else None))


async def _serve(settings: Settings, login: Callable[[str], None] | None) -> None:
    async with (
        open_database(settings, application="acd serve") as db,
        Recorder(db, settings) as recorder,
        kept_status_file(db, settings),
    ):
        serving = asyncio.create_task(
            serve_until_cancelled(db, settings, pending=recorder.backlog, ready=_tell, login=login),
            name="server",
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        recording = asyncio.create_task(_keep_recording(recorder), name="recording")
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await serving
        finally:
            recording.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await recording
    say("Stopped.")


def _tell(address: str) -> None:
    say(f"Pages and API at {address} (Ctrl-C stops)")


def _tell_login(link: str) -> None:
    say(f"Once, for one browser: {link}")


async def _keep_recording(recorder: Recorder) -> None:
    """Look now and then for what other programs left in files while they had no database."""
    while True:
        with contextlib.suppress(DatabaseAway):  # the next look finds it
            found = await recorder.catch_up_all()
            if found.folders:
                logger.info("recording %d bytes of %d sessions", found.bytes, found.folders)
        await asyncio.sleep(_LOOK_S)
