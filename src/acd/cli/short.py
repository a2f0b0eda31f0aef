"""The short way to an answer, what its commands share: settings by the environment alone, and a database that is up.

Starting the ordinary way takes 0.4 s, nearly all of it to load the driver, msgspec, typer and rich. `acd import` with
nothing new and `acd usage` are called all day (from hooks, before a look at the figures), so they try this first. It
loads none of those (a test holds it), answers only where everything is as usual, with the very bytes that the ordinary
way would print, and says nothing before it knows the whole answer: at any NotQuick the ordinary way begins anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from acd.cli.loading import load
from acd.core.errors import NotQuick
from acd.core.home import home_by
from acd.database.quick import Quick, opened_quickly

_EMBEDDED = "acd.database.staying"

# Settings that are read here, and those that may have any value at all and are of no matter here.
_READ = frozenset({"ACD_HOME", "ACD_DATABASE_URL", "ACD_HOST_NAME", "ACD_TIMEZONE"})
_OF_NO_MATTER = frozenset({"ACD_ALLOWED_HOSTS", "ACD_HOST", "ACD_NOTIFY_URLS", "ACD_TOKEN"})
_HOST_NAME = re.compile(r"[^:\s]+")
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")

LEFT = (NotQuick, OSError, RuntimeError, ValueError)
"""At any of these nothing was printed, and the ordinary way answers, or says what is wrong."""


class Settings(NamedTuple):
    """Of `acd.core.settings.Settings` what the short way needs. No database_url: the embedded server. `timezone`: as given."""

    home: Path
    database_url: str | None
    host_name: str
    timezone: str | None


def settings_by(environ: Mapping[str, str]) -> Settings:
    """The settings, as `acd.core.environment.load_settings` reads them.

    Raises:
        NotQuick: one is set that might be wrong, or mean another server.
    """
    given = {name for name, value in environ.items() if value and name.startswith("ACD_")}
    if given - _READ - _OF_NO_MATTER or not _is_port(environ.get("BACKEND_PORT") or "0"):
        raise NotQuick("settings to be checked")
    host_name = environ.get("ACD_HOST_NAME") or os.uname().nodename
    if not _HOST_NAME.fullmatch(host_name):
        raise NotQuick("a host name to be checked")
    home = Path(home_by(environ))
    if not home.is_dir():
        raise NotQuick("no ACD_HOME yet")
    url = environ.get("DATABASE_URL") or environ.get("ACD_DATABASE_URL") or None
    return Settings(home, url, host_name, environ.get("ACD_TIMEZONE") or None)


@contextmanager
def opened(settings: Settings, command: str) -> Iterator[Quick]:
    """The database for the length of a block.

    Raises:
        NotQuick: it is not up, or not as this program and these settings want it.
    """
    with _located(settings) as url, opened_quickly(url, f"acd {command}") as quick:
        if settings.timezone not in {None, quick.timezone}:
            raise NotQuick("another time zone")
        yield quick


@contextmanager
def _located(settings: Settings) -> Iterator[str]:
    if settings.database_url:
        yield settings.database_url
        return
    with load(_EMBEDDED).joined(settings.home) as url:
        yield url


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and int(text) < 65536
