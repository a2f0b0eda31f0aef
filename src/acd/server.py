"""The server: API and pages on one port, inside the event loop of whoever starts it (`acd serve`, `acd run`)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections.abc import Callable, Iterator

import psutil
import uvicorn
from fastapi import FastAPI

from acd import __version__
from acd.api import health, metrics, records, sessions, targets
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.dashboard import pages
from acd.database.connection import Database
from acd.queue.sync import sync as sync_queue
from acd.web.errors import add_error_handlers
from acd.web.guard import Guard
from acd.web.headers import SecurityHeaders
from acd.web.parts import Parts, Pending, Sync

GRACE_S = 5
"""How long answers that are under way may still take when the server stops."""


def create_app(
    db: Database, settings: Settings, *, sync: Sync = sync_queue, pending: Pending | None = None
) -> FastAPI:
    """API and pages. `sync` is what the sync route calls, `pending` counts sessions not yet recorded."""
    # The interactive pages of FastAPI load scripts from a CDN; nothing here may.
    app = FastAPI(title="acd", version=__version__, docs_url=None, redoc_url=None)
    app.state.parts = Parts(db=db, settings=settings, sync=sync, pending=pending)
    for module in (health, targets, sessions, records, metrics):
        app.include_router(module.router)
    app.include_router(pages.build_router())
    app.mount("/static", pages.static_files())
    add_error_handlers(app)
    app.add_middleware(Guard)
    app.add_middleware(SecurityHeaders)
    return app


async def serve(
    db: Database,
    settings: Settings,
    *,
    sync: Sync = sync_queue,
    pending: Pending | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until cancelled, then stop gracefully: answers under way are finished, at most for `GRACE_S` seconds.

    `ready` is called once with the server's address when it answers. No signal handler is installed: whoever
    embeds the server cancels it.

    Raises:
        ConfigError: the port is taken (the message names by whom), or the address is not of this machine alone.
    """
    listener = _bind(settings)
    with contextlib.closing(listener):
        server = _EmbeddedServer(
            uvicorn.Config(
                create_app(db, settings, sync=sync, pending=pending),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        await _serve_until_cancelled(server, listener, ready)


class _EmbeddedServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: they belong to the program that embeds the server."""
        yield


async def _serve_until_cancelled(
    server: uvicorn.Server, listener: socket.socket, ready: Callable[[str], None] | None
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        # The socket listens from the moment it is bound, so that no client is refused before this.
        if ready:
            ready(address_of(listener))
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


def address_of(listener: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bind(settings: Settings) -> socket.socket:
    host = _loopback(settings.host)
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(_taken(settings.port)) from error
        raise ConfigError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); sessions are recorded all the "
            "same. Choose another port with BACKEND_PORT."
        ) from error
    return listener


def _loopback(host: str) -> str:
    """The numeric address to bind.

    Raises:
        ConfigError: other machines could reach it, which needs the token that does not exist yet.
    """
    numeric = "127.0.0.1" if host == "localhost" else host.strip("[]")
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(numeric).is_loopback:
            return numeric
    raise ConfigError(
        f"ACD_HOST is {host!r}: the server binds loopback addresses only (127.0.0.1, ::1, localhost), because "
        "whoever reaches it can read everything. From elsewhere, use an SSH tunnel."
    )


def _taken(port: int) -> str:
    return (
        f"port {port} is taken by {port_holder(port)}; sessions are recorded all the same. "
        "Stop that program, or choose another port with BACKEND_PORT."
    )


def port_holder(port: int) -> str:
    """Who listens on the port, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return "another program"
    return "another program"
