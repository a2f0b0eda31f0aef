"""Where the server is, and the token that it wants."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from acd.core.environment import load_settings
from acd.core.errors import ConfigError
from acd.core.settings import Settings

TOKEN_VARIABLE = "ACD_TOKEN"  # noqa: S105 - a variable's name
_TOKEN_FILE = "token"  # noqa: S105 - a file's name


def address(url: str | None, settings: Settings | None = None) -> str:
    """The URL given, else ACD_URL, else the server of this machine; without a slash at its end.

    Raises:
        ConfigError: it is no address of a server.
    """
    settings = settings or load_settings()
    found = url or settings.url or f"http://127.0.0.1:{settings.port}"
    try:
        parts = urlsplit(found)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ConfigError(f"ACD_URL must be like http://builder:3434, not {found!r}")
    return found.rstrip("/")


def is_here(url: str) -> bool:
    """Whether a URL is of this machine by its name alone."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def token_for(
    url: str,
    given: str | None = None,
    settings: Settings | None = None,
    environment: Mapping[str, str] | None = None,
) -> str | None:
    """The token given, else that of ACD_TOKEN, else, for a server of this machine alone, that of ACD_HOME.

    The token of this machine's own server is shown to no other one. None where there is none: reading may be open.
    """
    environment = os.environ if environment is None else environment
    found = given or environment.get(TOKEN_VARIABLE)
    if found or not is_here(url):
        return found or None
    settings = settings or load_settings(environment)
    return _read(settings.home / _TOKEN_FILE)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip() or None
    except OSError:  # no server of this machine made one yet, or it is another user's
        return None
