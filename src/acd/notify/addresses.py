"""Where notifications go: the URLs of the settings. They are secrets, and nothing but their scheme is ever shown."""

from __future__ import annotations

import re
from importlib.util import find_spec

import msgspec

from acd.core.errors import ConfigError
from acd.core.settings import Settings

NEEDS_APPRISE = "notifications need the extra `notify`: pip install 'acd-harness[notify]'"
_SCHEME = re.compile(r"^([A-Za-z][\w+.-]*)://\S")
# Apprise's URLs may hold commas: one separates two URLs only where a scheme follows.
_BETWEEN = re.compile(r"\s+|,\s*(?=[A-Za-z][\w+.-]*://)")


class Address(msgspec.Struct, frozen=True):
    """An Apprise URL and its place in the settings, from 1."""

    number: int
    url: str

    @property
    def label(self) -> str:
        """What may be shown: `1 (mailto://…)`. In many services even the host is a secret."""
        scheme = _SCHEME.match(self.url)
        return f"{self.number} ({scheme.group(1).lower() if scheme else '?'}://…)"

    def without_secrets(self, text: str) -> str:
        """`text` without any part of this URL but its scheme."""
        parts = sorted(re.split(r"[/:@?&=,\s]+", self.url)[1:], key=len, reverse=True)
        for part in parts:
            if len(part) >= _SHORTEST_SECRET:
                text = text.replace(part, "[redacted]")
        return text

    def __repr__(self) -> str:
        return f"Address {self.label}"


_SHORTEST_SECRET = 3


def apprise_is_there() -> bool:
    """Whether the extra is installed."""
    return find_spec("apprise") is not None


def read_addresses(settings: Settings) -> list[Address]:
    """The URLs of variable and file, in this order; none: nothing is notified.

    Raises:
        ConfigError: one is no URL (named by its place), the file cannot be read, or the extra is missing.
    """
    urls = [word for word in _BETWEEN.split(settings.notify_urls) if word]
    if settings.notify_urls_file is not None:
        urls += _lines_of(settings)
    addresses = [Address(number, url) for number, url in enumerate(urls, 1)]
    for address in addresses:
        if not _SCHEME.match(address.url):
            raise ConfigError(
                f"ACD_NOTIFY_URLS: number {address.number} is no Apprise URL: it has to begin as in mailto://…"
            )
    if addresses and not apprise_is_there():
        raise ConfigError(f"ACD_NOTIFY_URLS is set, but {NEEDS_APPRISE}")
    return addresses


def _lines_of(settings: Settings) -> list[str]:
    path = settings.notify_urls_file
    if path is None:
        return []
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"ACD_NOTIFY_URLS_FILE: {path} cannot be read: {why}") from error
    return [line for line in lines if line and not line.startswith("#")]
