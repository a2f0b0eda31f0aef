"""`acd login`: a link that lets one browser change things on the pages."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from acd.cli.options import AsJson, Home, Verbose, new_app
from acd.cli.output import show_json
from acd.client import Client, Retry, control
from acd.core.environment import load_settings
from acd.core.settings import Settings
from acd.web.token import read_or_make_token

app = new_app()

# Somebody waits at a terminal.
_RETRY = Retry(attempts=2, first_s=0.2, longest_s=1.0)


def _own(settings: Settings) -> str:
    """Where this machine's server listens; on all addresses is on loopback, too."""
    host = settings.host.strip("[]")
    if host in ("localhost", "0.0.0.0", "::"):  # noqa: S104 - nothing is bound here
        host = "127.0.0.1"
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


@app.command()
def login(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Of this machine's server; BACKEND_PORT.")
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = False,
) -> None:
    """Print a link that works once: the browser that opens it may then change things on the pages, for good.

    Asks the server that runs on this machine (`acd serve`, `acd run`), or the one that ACD_URL names (with its token in
    ACD_TOKEN). Reading needs no login where nobody but this machine can ask.
    """
    settings = load_settings(home=home, port=port)
    if settings.url and port:
        raise typer.BadParameter(
            "it is of this machine's server, and ACD_URL names another", param_hint="--port"
        )
    url = settings.url or _own(settings)
    token = None if settings.url else read_or_make_token(settings.home)
    with Client(url, token=token, retry=_RETRY) as client:
        link = client.url + client.send(control.login()).path
    if as_json:
        show_json(msgspec.json.encode({"link": link}))
    else:
        print(link)
