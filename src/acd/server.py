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
from starlette.middleware.gzip import GZipMiddleware

from acd import __version__
from acd.api import (
    attempts,
    control,
    docs,
    error_groups,
    events,
    export,
    glance,
    health,
    logs,
    metrics,
    progress,
    queue,
    records,
    reports,
    sessions,
    spending,
    targets,
    usage,
)
from acd.api.document import document, operation_id
from acd.api.freshness import Freshness
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.dashboard import site
from acd.database.connection import Database
from acd.queue.sync import sync as sync_queue
from acd.web.access import LOOPBACK_HOSTS, Access, access_of
from acd.web.errors import add_error_handlers
from acd.web.guard import LOGIN_PATH, Guard
from acd.web.headers import SecurityHeaders
from acd.web.live import Live
from acd.web.parts import Parts, Pending, Sync
from acd.web.protocol import WholeAnswers
from acd.web.sharing import SharedAnswers
from acd.web.token import read_or_make_token

GRACE_S = 5
"""How long answers that are under way may still take when the server stops."""


def create_app(
    db: Database,
    settings: Settings,
    *,
    sync: Sync = sync_queue,
    pending: Pending | None = None,
    access: Access | None = None,
) -> FastAPI:
    """API and pages.

    Args:
        db: what is shown.
        settings: see there.
        sync: what the sync route calls.
        pending: counts what is not recorded yet.
        access: who may ask; without it the settings say.

    Raises:
        ConfigError: the settings' hosts or the token cannot be used.
    """
    access = access or access_of(settings, read_or_make_token(settings.home))
    # The interactive pages of FastAPI load scripts from a CDN; nothing here may.
    app = FastAPI(
        title="acd",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
    )
    app.state.parts = Parts(
        db=db, settings=settings, access=access, live=Live(db), sync=sync, pending=pending
    )
    _add_routes(app)
    document(app)
    add_error_handlers(app)
    site.add_pages(app)
    app.add_middleware(Freshness)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(SharedAnswers, changed=db.read_anew)
    app.add_middleware(Guard, access=access)
    app.add_middleware(SecurityHeaders)
    return app


def _add_routes(app: FastAPI) -> None:
    for module in (
        health,
        targets,
        sessions,
        logs,
        records,
        error_groups,
        reports,
        spending,
        usage,
        progress,
        queue,
        control,
        attempts,
        events,
        glance,
        metrics,
        docs,
    ):
        app.include_router(module.router)
    app.include_router(export.build_router())
    app.mount(docs.PARTS, docs.docs_parts())


async def serve(
    db: Database,
    settings: Settings,
    *,
    sync: Sync = sync_queue,
    pending: Pending | None = None,
    ready: Callable[[str], None] | None = None,
    login: Callable[[str], None] | None = None,
) -> None:
    """Serve until cancelled, then stop gracefully: answers under way are finished, at most for `GRACE_S` seconds.

    `ready` is called once with the server's address when it answers, `login` with a link that lets one browser in for
    good. No signal handler is installed: whoever embeds the server cancels it.

    Raises:
        ConfigError: the port is taken (the message names by whom), the address is one that others reach and no hosts
            are named, or the token cannot be used.
    """
    access = access_of(settings, read_or_make_token(settings.home))
    app = create_app(db, settings, sync=sync, pending=pending, access=access)
    listener = _bind(settings)
    with contextlib.closing(listener):
        server = _EmbeddedServer(
            uvicorn.Config(
                app,
                http=WholeAnswers,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

        def begun() -> None:
            if ready:
                ready(address_of(listener))
            if login:
                login(f"{_called(listener, access)}{LOGIN_PATH}?code={access.new_code()}")

        await _serve_until_cancelled(server, listener, begun, app.state.parts.live.close)


class _EmbeddedServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: they belong to the program that embeds the server."""
        yield


async def _serve_until_cancelled(
    server: uvicorn.Server,
    listener: socket.socket,
    begun: Callable[[], None],
    ending: Callable[[], None],
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        # The socket listens from the moment it is bound, so that no client is refused before this.
        begun()
        await asyncio.shield(serving)
    finally:
        ending()  # readers of the live stream would stay for ever
        server.should_exit = True
        await serving


def address_of(listener: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _called(listener: socket.socket, access: Access) -> str:
    """The URL by which others call the server: an address that stands for all of a machine's is no host's name."""
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        names = sorted(access.hosts - LOOPBACK_HOSTS) or ["localhost"]
        return f"http://{names[0]}:{port}"
    return address_of(listener)


def _bind(settings: Settings) -> socket.socket:
    host = "127.0.0.1" if settings.host == "localhost" else settings.host.strip("[]")
    # With its protocol named: only then does asyncio switch Nagle's algorithm off, which costs 40 ms an answer.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
